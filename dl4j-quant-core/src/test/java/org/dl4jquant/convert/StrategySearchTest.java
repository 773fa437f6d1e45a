package org.dl4jquant.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.collect.ImmutableMap;
import java.util.Random;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.calibrate.Calibration;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.FoldedNetwork;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.stats.Sqnr;
import org.dl4jquant.strategy.FormatStrategy;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

final class StrategySearchTest {
  private static final InputType IMAGES = InputType.convolutional(7, 7, 2);

  private static MultiLayerNetwork network(long seed) {
    MultiLayerNetwork network =
        new MultiLayerNetwork(
            new NeuralNetConfiguration.Builder()
                .seed(seed)
                .activation(Activation.RELU)
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3).nOut(6).build())
                .layer(new DenseLayer.Builder().nOut(12).activation(Activation.TANH).build())
                .layer(
                    new OutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(5)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(IMAGES)
                .build());
    network.init();
    return network;
  }

  /** Mostly small values, some large ones, so that it matters what is clipped. */
  private static INDArray heavyTailed(int batch, long seed) {
    Random random = new Random(seed);
    long[] shape = IMAGES.getShape(true);
    shape[0] = batch;
    INDArray input = Nd4j.create(DataType.FLOAT, shape);
    for (long i = 0; i < input.length(); i++) {
      input.putScalar(i, Math.pow(random.nextGaussian(), 3));
    }
    return input;
  }

  private static double decibels(MultiLayerNetwork network, QuantizedModel model, INDArray input) {
    INDArray weights = network.getLayer(2).getParam("W");
    INDArray hidden = network.feedForward(input, false).get(2);
    float[] logits =
        Tensors.of(hidden.mmul(weights).addRowVector(network.getLayer(2).getParam("b"))).values();
    String name = "layer2/preactivation";
    return Sqnr.decibels(
        logits, model.toIntegerNetwork().layerCodes(name, Tensors.of(input)).dequantize().values());
  }

  @Test
  void noSingleStrategyIsBetterForTheExamplesThatItWasChosenBy() {
    double gained = 0;
    for (long seed = 1; seed <= 6; seed++) {
      MultiLayerNetwork network = network(seed);
      INDArray data = heavyTailed(100, seed);
      Quantization start =
          Quantization.of(network)
              .weightBits(8)
              .activationBits(5)
              .adaptiveRounding(false)
              .calibrate(data);
      QuantizedModel chosen = start.strategy(FormatStrategy.automatic()).convert();
      double own = decibels(network, chosen, data);
      double worst = Double.POSITIVE_INFINITY;
      for (FormatStrategy single : FormatStrategy.automatic().candidates()) {
        double other = decibels(network, start.strategy(single).convert(), data);
        assertTrue(own >= other - 0.01, single + ": " + other + " dB, chosen " + own);
        worst = Math.min(worst, other);
      }
      gained += (own - worst) / 6;
      assertTrue(chosen.provenance().activationStrategy().startsWith("auto: "));
    }
    assertTrue(gained > 1, "gained " + gained + " dB on the worst");
  }

  @Test
  void withoutExamplesItIsMinimalSquaredError() {
    MultiLayerNetwork network = network(3);
    Dl4jNetwork folded = FoldedNetwork.of(Dl4jNetwork.of(network)).network();
    Quantization start =
        Quantization.of(network)
            .activationBits(5)
            .calibration(Calibration.of(folded).run(heavyTailed(50, 3)));
    assertEquals(
        start.strategy(FormatStrategy.minMse()).convert().activations(),
        start.strategy(FormatStrategy.automatic()).convert().activations());
  }

  @Test
  void theTextNamesWhatDiffersFromTheUsual() {
    ImmutableMap<String, String> strategies =
        ImmutableMap.of("in", "kl", "conv", "mse", "dense", "mse");
    assertEquals(
        "in kl, others mse", new StrategySearch.Choice(ImmutableMap.of(), strategies).text());
    assertEquals(
        "all mse",
        new StrategySearch.Choice(ImmutableMap.of(), ImmutableMap.of("in", "mse")).text());
  }
}
