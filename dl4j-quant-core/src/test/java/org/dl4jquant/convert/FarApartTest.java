package org.dl4jquant.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.precision.LayerSelector;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Values too far apart to be added exactly fail in conversion, and convert with the remedy. */
final class FarApartTest {
  private static final INDArray INPUT = Nd4j.rand(DataType.FLOAT, 40, 3).addi(0.1);

  private static ComputationGraph network(double factor) {
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(2)
                .graphBuilder()
                .addInputs("in")
                .addLayer("large", dense(), "in")
                .addLayer("small", dense(), "in")
                .addVertex("sum", new ElementWiseVertex(ElementWiseVertex.Op.Add), "large", "small")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nIn(4).nOut(3).activation(Activation.SOFTMAX).build(),
                    "sum")
                .setOutputs("out")
                .build());
    graph.init();
    graph.getLayer("large").getParam("W").assign(factor);
    graph.getLayer("small").getParam("W").assign(1 / factor);
    graph.getLayer("out").getParam("W").divi(factor);
    return graph;
  }

  private static DenseLayer dense() {
    return new DenseLayer.Builder().nIn(3).nOut(4).activation(Activation.RELU).build();
  }

  @Test
  void aSumOfWhatIsTooFarApartIsRefusedByName() {
    Quantization far = Quantization.of(network(0x1p30)).calibrate(INPUT);
    String message = assertThrows(IllegalArgumentException.class, far::convert).getMessage();
    assertTrue(message.contains("'sum'"), message);
    assertTrue(message.endsWith("; or keep it float"), message);
  }

  @Test
  void itConvertsWithTheSumInFloat() {
    QuantizedModel model =
        Quantization.of(network(0x1p30))
            .calibrate(INPUT)
            .keepFloat(LayerSelector.named("sum"))
            .convert();
    assertEquals(Carrier.FLOATS, model.toQuantizedGraph().carrier("sum"));
    assertEquals(
        model.network().output(INPUT).get(0).argMax(1), model.output(INPUT).get(0).argMax(1));
  }

  @Test
  void whatIsNearEnoughIsAdded() {
    QuantizedModel model = Quantization.of(network(0x1p8)).calibrate(INPUT).convert();
    assertTrue(model.accumulatorBits().get("sum") <= 63);
  }
}
