package org.dl4jquant.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.MergeVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jquant.Quantization;
import org.dl4jquant.graph.QuantizedGraph.Carrier;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.LayerSelector;
import org.dl4jquant.precision.PrecisionPlan;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Vertices, inputs and layers without weights have widths of their own. */
final class VertexPinsTest {
  private static final INDArray INPUT = Nd4j.rand(DataType.DOUBLE, 6, 2, 5, 5);

  private static ComputationGraph residual() {
    ComputationGraph graph =
        new ComputationGraph(
            new NeuralNetConfiguration.Builder()
                .seed(4)
                .dataType(DataType.DOUBLE)
                .graphBuilder()
                .addInputs("in")
                .setInputTypes(InputType.convolutional(5, 5, 2))
                .addLayer("conv", convolution(Activation.RELU), "in")
                .addLayer("branch", convolution(Activation.IDENTITY), "conv")
                .addVertex("add", new ElementWiseVertex(ElementWiseVertex.Op.Add), "conv", "branch")
                .addVertex("merge", new MergeVertex(), "add", "conv")
                .addLayer("last", convolution(Activation.RELU), "merge")
                .addLayer("pool", new GlobalPoolingLayer(PoolingType.AVG), "last")
                .addLayer(
                    "out",
                    new OutputLayer.Builder().nOut(3).activation(Activation.SOFTMAX).build(),
                    "pool")
                .setOutputs("out")
                .build());
    graph.init();
    return graph;
  }

  private static ConvolutionLayer convolution(Activation activation) {
    return new ConvolutionLayer.Builder(1, 1).nOut(4).activation(activation).build();
  }

  private static Quantization calibrated() {
    return Quantization.of(residual()).calibrate(INPUT);
  }

  @Test
  void everyValueCanBePinned() {
    QuantizedModel model =
        calibrated()
            .pinActivations(LayerSelector.named("add"), 12)
            .pinActivations(LayerSelector.ofKind("MergeVertex"), 11)
            .pinActivations(LayerSelector.ofKind("Input"), 5)
            .pinActivations(LayerSelector.matching("poo?"), 13)
            .convert();

    assertEquals(12, model.activations().get("add").bitWidth());
    assertEquals(11, model.activations().get("merge").bitWidth());
    assertEquals(5, model.activations().get("in").bitWidth());
    assertEquals(13, model.activations().get("pool").bitWidth());
    assertEquals(8, model.activations().get("conv").bitWidth());
    ConversionTest.assertSameCodes("pinned", model, INPUT);
  }

  @Test
  void aVertexCanBeKeptInFloat() {
    QuantizedModel integers = calibrated().convert();
    QuantizedModel model = calibrated().keepFloat(LayerSelector.named("pool")).convert();

    assertEquals(Carrier.CODES, integers.toQuantizedGraph().carrier("pool"));
    assertEquals(LayerPrecision.FLOAT, model.plan().of("pool"));
    assertTrue(model.activations().containsKey("last"));
    assertEquals(Carrier.FLOATS, model.toQuantizedGraph().carrier("pool"));
    QuantizedModel sum = calibrated().keepFloat(LayerSelector.named("add")).convert();
    assertEquals(Carrier.CODES, integers.toQuantizedGraph().carrier("add"));
    assertEquals(Carrier.FLOATS, sum.toQuantizedGraph().carrier("add"));
    ConversionTest.assertSameCodes("kept sum", sum, INPUT);
    ConversionTest.assertSameCodes("kept", model, INPUT);
    double[] expected = integers.output(INPUT).get(0).dup('c').data().asDouble();
    double[] found = model.output(INPUT).get(0).dup('c').data().asDouble();
    for (int i = 0; i < found.length; i++) {
      assertEquals(expected[i], found[i], 0.02);
    }
  }

  @Test
  void plansNameVerticesAndPatterns() {
    PrecisionPlan plan =
        PrecisionPlan.uniform(LayerPrecision.of(8, 8))
            .with("add", LayerPrecision.of(8, 10))
            .with("type:ConvolutionLayer", LayerPrecision.of(6, 9));
    QuantizedModel model = calibrated().convert(plan);

    assertEquals(10, model.activations().get("add").bitWidth());
    assertEquals(9, model.activations().get("last").bitWidth());
    assertEquals(List.of("conv", "branch", "last", "add"), model.plan().layers().keySet().asList());
    assertFalse(model.plan().toJson().contains("type:"));
    assertEquals(
        "plan must name layers or vertices of the network, found 'merg', none of [conv, branch,"
            + " last, pool, out, in, add, merge]; near: merge",
        assertThrows(
                IllegalArgumentException.class,
                () -> calibrated().convert(plan.with("merg", LayerPrecision.FLOAT)))
            .getMessage());
  }

  @Test
  void aSelectorOfNothingNamesWhatIsNear() {
    Quantization quantization = calibrated().keepFloat(LayerSelector.named("ad"));
    assertEquals(
        "selector ad must select a layer or vertex, found none of [conv, branch, last, out, pool,"
            + " in, add, merge]; near: add, in",
        assertThrows(IllegalArgumentException.class, quantization::convert).getMessage());
  }
}
