package org.dl4jquant;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.common.collect.ImmutableMap;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.execute.IntegerNetwork;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Indices of words may be of any type of whole numbers. */
final class WholeNumberInputsTest {
  private static final int WORDS = 11;

  private static MultiLayerNetwork sequences() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .list()
                .layer(new EmbeddingSequenceLayer.Builder().nIn(WORDS).nOut(5).build())
                .layer(new LSTM.Builder().nOut(4).build())
                .layer(new GlobalPoolingLayer())
                .layer(new DenseLayer.Builder().nOut(6).activation(Activation.RELU).build())
                .layer(new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build())
                .setInputType(InputType.recurrent(WORDS, 7))
                .build());
    network.init();
    return network;
  }

  private static MultiLayerNetwork words() {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(3)
                .list()
                .layer(new EmbeddingLayer.Builder().nIn(WORDS).nOut(5).build())
                .layer(new DenseLayer.Builder().nIn(5).nOut(6).activation(Activation.RELU).build())
                .layer(
                    new OutputLayer.Builder().nIn(6).nOut(3).activation(Activation.SOFTMAX).build())
                .build());
    network.init();
    return network;
  }

  private static INDArray indices(long... shape) {
    INDArray indices = Nd4j.create(DataType.FLOAT, shape);
    for (int i = 0; i < indices.length(); i++) {
      indices.putScalar(i, (i * 7) % WORDS);
    }
    return indices;
  }

  @ParameterizedTest
  @EnumSource(names = {"INT", "LONG", "SHORT", "UBYTE"})
  void indicesOfSequences(DataType type) {
    assertSame(sequences(), indices(9, 7), type);
  }

  @ParameterizedTest
  @EnumSource(names = {"INT", "LONG"})
  void indicesOfWords(DataType type) {
    assertSame(words(), indices(9, 1), type);
  }

  private static void assertSame(MultiLayerNetwork network, INDArray floats, DataType type) {
    INDArray whole = floats.castTo(type);
    Quantization quantization = Quantization.of(network);
    QuantizedModel model = quantization.calibrate(floats).convert();
    assertEquals(model, quantization.calibrate(whole).convert());
    assertEquals(
        model,
        quantization
            .calibrate(
                new org.deeplearning4j.datasets.iterator.utilty.SingletonDataSetIterator(
                    new DataSet(whole, Nd4j.zeros(9, 3))))
            .convert());

    float[] expected = model.output(floats).get(0).data().asFloat();
    assertArrayEquals(expected, model.output(whole).get(0).data().asFloat());
    IntegerNetwork integers = model.toIntegerNetwork();
    assertArrayEquals(expected, integers.output(Tensors.of(whole)).values());
    assertArrayEquals(
        expected,
        integers
            .outputs(ImmutableMap.of(integers.graph().graph().inputs().get(0), Tensors.of(whole)))
            .values()
            .iterator()
            .next()
            .values());
    INDArray large = whole.castTo(DataType.INT64).add(1 << 25);
    assertEquals(
        "array must hold whole numbers up to 2^24 in magnitude, found 33554432",
        assertThrows(IllegalArgumentException.class, () -> Tensors.of(large)).getMessage());
  }
}
