package org.dl4jquant.dl4j;

import java.util.Arrays;
import java.util.Optional;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.layers.BaseRecurrentLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LearnedSelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.LocallyConnected2D;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SpaceToDepthLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling1DLayer;
import org.deeplearning4j.nn.conf.layers.Subsampling3DLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.Upsampling1D;
import org.deeplearning4j.nn.conf.layers.Upsampling2D;
import org.deeplearning4j.nn.conf.layers.ZeroPadding1DLayer;
import org.deeplearning4j.nn.conf.layers.ZeroPaddingLayer;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping1D;
import org.deeplearning4j.nn.conf.layers.convolutional.Cropping2D;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.dl4jquant.graph.Shape;

/**
 * What one layer or preprocessor demands of its input.
 *
 * @param shape in DL4J's order of axes, -1 for sizes that it leaves open
 * @param channelAxis the axis of the channels
 */
record TakenShape(Shape shape, int channelAxis) {
  int channels() {
    return shape.size(channelAxis);
  }

  TakenShape withChannels(int channels) {
    int[] sizes = shape.sizes().toArray();
    sizes[channelAxis] = channels;
    return new TakenShape(Shape.of(sizes), channelAxis);
  }

  /** Returns the demand; absent for what takes any number of axes, or is unknown. */
  static Optional<TakenShape> of(Object step) {
    return step instanceof InputPreProcessor preprocessor
        ? TakenByPreprocessor.of(preprocessor)
        : of((Layer) step);
  }

  private static Optional<TakenShape> of(Layer wrapped) {
    Layer layer = LayerMappings.thawed(wrapped);
    if (layer instanceof TimeDistributed each) {
      Optional<TakenShape> inside = of(each.getUnderlying());
      return inside.map(row -> sequence(row.channels(), each.getRnnDataFormat()));
    }
    if (layer instanceof BaseWrapperLayer wrapper) {
      return of(wrapper.getUnderlying());
    }
    if (layer instanceof ConvolutionLayer convolution) {
      return Optional.of(ofConvolution(convolution));
    }
    if (layer instanceof FeedForwardLayer wide) {
      return ofFeedForward(wide);
    }
    if (layer instanceof Bidirectional both) {
      return Optional.of(sequence(both.getNIn(), both.getRNNDataFormat()));
    }
    Optional<TakenShape> image = ofImageLayer(layer);
    return image.isPresent() ? image : ofOther(layer);
  }

  private static TakenShape ofConvolution(ConvolutionLayer layer) {
    if (layer instanceof Convolution1DLayer one) {
      return sequence(one.getNIn(), one.getRnnDataFormat());
    }
    if (layer instanceof Convolution3D three) {
      return volume(three.getNIn(), three.getDataFormat() == Convolution3D.DataFormat.NDHWC);
    }
    if (layer instanceof Deconvolution3D three) {
      return volume(three.getNIn(), three.getDataFormat() == Convolution3D.DataFormat.NDHWC);
    }
    return image(layer.getNIn(), layer.getCnn2dDataFormat());
  }

  private static Optional<TakenShape> ofFeedForward(FeedForwardLayer layer) {
    if (layer instanceof BatchNormalization || layer instanceof DropoutLayer) {
      return Optional.empty();
    }
    if (layer instanceof Cnn3DLossLayer loss) {
      return Optional.of(volume(-1, loss.getDataFormat() == Convolution3D.DataFormat.NDHWC));
    }
    if (layer instanceof BaseRecurrentLayer recurrent) {
      return Optional.of(sequence(recurrent.getNIn(), recurrent.getRnnDataFormat()));
    }
    if (layer instanceof RnnOutputLayer output) {
      return Optional.of(sequence(output.getNIn(), output.getRnnDataFormat()));
    }
    if (layer instanceof RnnLossLayer loss) {
      return Optional.of(sequence(-1, loss.getRnnDataFormat()));
    }
    if (layer instanceof CnnLossLayer loss) {
      return Optional.of(image(-1, loss.getFormat()));
    }
    if (layer instanceof EmbeddingLayer) {
      return Optional.of(row(1));
    }
    return layer instanceof EmbeddingSequenceLayer indices
        ? Optional.of(row(indices.getInputLength()))
        : Optional.of(row(layer.getNIn()));
  }

  private static Optional<TakenShape> ofImageLayer(Layer layer) {
    if (layer instanceof Subsampling1DLayer) {
      return Optional.of(sequence(-1, RNNFormat.NCW));
    }
    if (layer instanceof SubsamplingLayer pooling) {
      return Optional.of(image(-1, pooling.getCnn2dDataFormat()));
    }
    if (layer instanceof ZeroPaddingLayer padding) {
      return Optional.of(image(-1, padding.getDataFormat()));
    }
    if (layer instanceof Cropping2D cropping) {
      return Optional.of(image(-1, cropping.getDataFormat()));
    }
    if (layer instanceof Upsampling2D upsampling) {
      return Optional.of(image(-1, upsampling.getFormat()));
    }
    if (layer instanceof SpaceToDepthLayer space) {
      return Optional.of(image(-1, space.getDataFormat()));
    }
    return layer instanceof LocallyConnected2D local
        ? Optional.of(image(local.getNIn(), local.getFormat()))
        : Optional.empty();
  }

  private static Optional<TakenShape> ofOther(Layer layer) {
    if (layer instanceof ZeroPadding1DLayer
        || layer instanceof Cropping1D
        || layer instanceof Upsampling1D) {
      return Optional.of(sequence(-1, RNNFormat.NCW));
    }
    if (layer instanceof Subsampling3DLayer pooling) {
      return Optional.of(volume(-1, pooling.getDataFormat() == Convolution3D.DataFormat.NDHWC));
    }
    if (layer instanceof LocallyConnected1D local) {
      return Optional.of(sequence(local.getNIn(), RNNFormat.NCW));
    }
    if (layer instanceof SelfAttentionLayer attention) {
      return Optional.of(sequence(attention.getNIn(), RNNFormat.NCW));
    }
    if (layer instanceof LearnedSelfAttentionLayer attention) {
      return Optional.of(sequence(attention.getNIn(), RNNFormat.NCW));
    }
    if (layer instanceof RecurrentAttentionLayer attention) {
      return Optional.of(sequence(attention.getNIn(), RNNFormat.NCW));
    }
    int[] pooled = layer instanceof GlobalPoolingLayer p ? p.getPoolingDimensions() : null;
    if (pooled == null) {
      return Optional.empty();
    }
    int axis = pooled[0] == 1 ? pooled.length : 0;
    int[] open = new int[pooled.length + 1];
    Arrays.fill(open, Shape.UNKNOWN);
    return Optional.of(new TakenShape(Shape.of(open), axis));
  }

  static TakenShape row(long size) {
    return new TakenShape(Shape.of(size(size)), 0);
  }

  static TakenShape sequence(long channels, RNNFormat format) {
    return format == RNNFormat.NWC
        ? new TakenShape(Shape.of(-1, size(channels)), 1)
        : new TakenShape(Shape.of(size(channels), -1), 0);
  }

  static TakenShape image(long channels, CNN2DFormat format) {
    return format == CNN2DFormat.NHWC
        ? new TakenShape(Shape.of(-1, -1, size(channels)), 2)
        : new TakenShape(Shape.of(size(channels), -1, -1), 0);
  }

  private static TakenShape volume(long channels, boolean last) {
    return last
        ? new TakenShape(Shape.of(-1, -1, -1, size(channels)), 3)
        : new TakenShape(Shape.of(size(channels), -1, -1, -1), 0);
  }

  private static int size(long size) {
    return size > 0 ? Math.toIntExact(size) : Shape.UNKNOWN;
  }
}
