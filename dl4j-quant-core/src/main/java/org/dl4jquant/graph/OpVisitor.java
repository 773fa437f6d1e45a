package org.dl4jquant.graph;

/** One method per kind of {@link Op}. */
public interface OpVisitor<R> {
  /** Visits an input of the network. */
  R input(Input op);

  /** Visits a fully connected layer. */
  R dense(Dense op);

  /** Visits a convolution. */
  R convolution(Convolution op);

  /** Visits a transposed convolution. */
  R deconvolution(Deconvolution op);

  /** Visits a factor and a shift per channel. */
  R channelAffine(ChannelAffine op);

  /** Visits an element-wise function. */
  R activation(Activation op);

  /** Visits max pooling. */
  R maxPool(MaxPool op);

  /** Visits average pooling. */
  R averagePool(AveragePool op);

  /** Visits pooling over all positions. */
  R globalPool(GlobalPool op);

  /** Visits padding with zeros. */
  R zeroPad(ZeroPad op);

  /** Visits cropping. */
  R crop(Crop op);

  /** Visits nearest-neighbor upsampling. */
  R upsample(Upsample op);

  /** Visits flattening. */
  R flatten(Flatten op);

  /** Visits reshaping. */
  R reshape(Reshape op);

  /** Visits a permutation of axes. */
  R permute(Permute op);

  /** Visits a sum. */
  R add(Add op);

  /** Visits a concatenation. */
  R concat(Concat op);

  /** Visits a softmax. */
  R softmax(Softmax op);

  /** Visits a function that stays float. */
  R floatFunction(FloatFunction op);
}
