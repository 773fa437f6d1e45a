package org.dl4jquant.finetune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration.ListBuilder;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.LocallyConnected1D;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

final class ShadowedLayersTest {
  @TempDir Path folder;

  private static ListBuilder base() {
    return FineTuningNetworks.base(DataType.FLOAT).activation(Activation.TANH).list();
  }

  private static MultiLayerNetwork network(ListBuilder layers, InputType input) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            layers
                .layer(new OutputLayer.Builder().nOut(2).activation(Activation.SOFTMAX).build())
                .setInputType(input)
                .build());
    network.init();
    return network;
  }

  private static DataSet series() {
    Nd4j.getRandom().setSeed(6);
    INDArray features = Nd4j.randn(20, 3, 6);
    INDArray labels = Nd4j.zeros(20, 2);
    for (int i = 0; i < 20; i++) {
      labels.putScalar(i, features.slice(i).meanNumber().doubleValue() > 0 ? 0 : 1, 1);
    }
    return new DataSet(features, labels);
  }

  private static DataSet words() {
    INDArray features = Nd4j.zeros(20, 1, 6);
    INDArray labels = Nd4j.zeros(20, 2);
    for (int i = 0; i < 20; i++) {
      for (int t = 0; t < 6; t++) {
        features.putScalar(new int[] {i, 0, t}, (i * 7 + t * t) % 5);
      }
      labels.putScalar(i, i * 7 % 5 < 2 ? 0 : 1, 1);
    }
    return new DataSet(features, labels);
  }

  @Test
  void floatsLearnBehindTheCodesOfEveryKind() {
    InputType series = InputType.recurrent(3, 6);
    learns(
        network(
            base()
                .layer(new EmbeddingSequenceLayer.Builder().nIn(5).nOut(4).name("own").build())
                .layer(new GlobalPoolingLayer.Builder().build()),
            InputType.recurrent(5, 6)),
        words());
    learns(
        network(
            base()
                .layer(new Bidirectional(new LSTM.Builder().nOut(4).name("own").build()))
                .layer(new GlobalPoolingLayer.Builder().build()),
            series),
        series());
    learns(
        network(
            base()
                .layer(
                    new SelfAttentionLayer.Builder()
                        .nOut(4)
                        .nHeads(2)
                        .projectInput(true)
                        .name("own")
                        .build())
                .layer(new GlobalPoolingLayer.Builder().build()),
            series),
        series());
    learns(
        network(
            base()
                .layer(
                    new LocallyConnected1D.Builder()
                        .kernelSize(2)
                        .nOut(4)
                        .setInputSize(6)
                        .name("own")
                        .build())
                .layer(new GlobalPoolingLayer.Builder().build()),
            series),
        series());
  }

  @Test
  void wrappersThatHearWeightNoiseNeedNoListener() {
    MultiLayerNetwork network =
        network(
            base().layer(new LastTimeStep(new LSTM.Builder().nOut(4).name("own").build())),
            InputType.recurrent(3, 6));
    QuantizedModel model = Quantization.of(network).weightBits(3).convert();
    FineTuningRun run = MixedPrecisionFineTuning.of(network, model).start();
    assertEquals(List.of(), run.shadowed());
    DataSet data = series();
    INDArray features = data.getFeatures();
    assertEquals(
        run.model().network().output(features).get(0),
        ((MultiLayerNetwork) run.network()).output(features));
  }

  @Test
  void savedFloatsGoOnWithTheSameBits() throws IOException {
    MultiLayerNetwork network =
        network(
            base()
                .layer(new EmbeddingSequenceLayer.Builder().nIn(5).nOut(4).name("own").build())
                .layer(new GlobalPoolingLayer.Builder().build()),
            InputType.recurrent(5, 6));
    DataSet data = words();
    MixedPrecisionFineTuning tuning =
        MixedPrecisionFineTuning.of(network, Quantization.of(network).weightBits(3).convert());
    FineTuningRun first = tuning.start();
    MultiLayerNetwork from = (MultiLayerNetwork) first.network();
    for (int i = 0; i < 5; i++) {
      from.fit(data);
    }
    Path file = folder.resolve("floats");
    first.saveState(file);
    FineTuningRun second = tuning.start();
    second.restoreState(file, from.clone());
    MultiLayerNetwork to = (MultiLayerNetwork) second.network();
    assertEquals(from.params(), to.params());
    for (int i = 0; i < 20; i++) {
      from.fit(data);
      to.fit(data);
    }
    assertEquals(from.params(), to.params());
    MultiLayerNetwork other =
        network(
            base()
                .layer(new EmbeddingSequenceLayer.Builder().nIn(5).nOut(3).name("own").build())
                .layer(new GlobalPoolingLayer.Builder().build()),
            InputType.recurrent(5, 6));
    FineTuningRun another =
        MixedPrecisionFineTuning.of(other, Quantization.of(other).weightBits(3).convert()).start();
    Model before = another.network();
    assertThrows(IllegalArgumentException.class, () -> another.restoreState(file, before));
    assertTrue(before == another.network());
  }

  private static void learns(MultiLayerNetwork network, DataSet data) {
    QuantizedModel model = Quantization.of(network).weightBits(4).convert();
    FineTuningRun run = MixedPrecisionFineTuning.of(network, model).start();
    String kind = model.layers().get(0).kind();
    assertFalse(run.shadowed().isEmpty(), kind);
    MultiLayerNetwork training = (MultiLayerNetwork) run.network();
    assertEquals(
        run.model().network().output(data.getFeatures()).get(0),
        training.output(data.getFeatures()),
        kind);
    INDArray start = training.params().dup();
    double before = training.score(data);
    for (int i = 0; i < 40; i++) {
      training.fit(data);
    }
    assertTrue(training.score(data) < before, kind + " from " + before);
    QuantizedModel tuned = run.model();
    for (String parameter : run.shadowed()) {
      String key = "0_" + parameter.substring(parameter.indexOf('/') + 1);
      assertEquals(
          training.getParam(key),
          ((MultiLayerNetwork) tuned.plainNetwork().model()).getParam(key),
          kind + " " + parameter);
    }
    assertFalse(start.equals(training.params()), kind);
  }
}
