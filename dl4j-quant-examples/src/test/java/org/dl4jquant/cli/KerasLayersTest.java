package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.Iterables;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.modelimport.keras.KerasModel;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jquant.Quantization;
import org.dl4jquant.QuantizedModel;
import org.dl4jquant.dl4j.Dl4jNetwork;
import org.dl4jquant.dl4j.GraphReader;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.precision.Target;
import org.dl4jquant.stats.Sqnr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Imported layers, whose images have the channels last, in integers: the same as DL4J computes with
 * fake quantization. Weights are random; what import does to stored ones is in {@link
 * KerasFileTest}.
 */
final class KerasLayersTest {
  private static final int HEIGHT = 9;
  private static final int WIDTH = 7;
  private static final int CHANNELS = 3;
  private static final String LAST = "channels_last";
  private static final String VALID = "valid";
  private static final String SAME = "same";
  private static final Map<String, Object> RANDOM =
      Map.of("class_name", "GlorotUniform", "config", Map.of());
  private static final Map<String, Object> ZEROS =
      Map.of("class_name", "Zeros", "config", Map.of());

  /** A layer: what Keras writes of it. */
  private record Layer(
      String kind, String name, Map<String, Object> settings, List<String> inputs) {
    Map<String, Object> json() {
      Map<String, Object> config = new LinkedHashMap<>(settings);
      config.put("name", name);
      config.put("trainable", true);
      config.put("dtype", "float32");
      List<Object> nodes = List.of();
      if (!inputs.isEmpty()) {
        ImmutableList.Builder<Object> from = ImmutableList.builder();
        for (String input : inputs) {
          from.add(List.of(input, 0, 0, Map.of()));
        }
        nodes = List.of(from.build());
      }
      return Map.of("class_name", kind, "name", name, "config", config, "inbound_nodes", nodes);
    }
  }

  /** What stands between the images and the classes. */
  private static final ImmutableMap<String, ImmutableList<Layer>> KINDS =
      ImmutableMap.<String, ImmutableList<Layer>>builder()
          .put("valid convolution", ImmutableList.of(conv("body", VALID, 1, 1, "images")))
          .put("same convolution", ImmutableList.of(conv("body", SAME, 1, 1, "images")))
          .put("strided valid convolution", ImmutableList.of(conv("body", VALID, 2, 1, "images")))
          .put("strided same convolution", ImmutableList.of(conv("body", SAME, 2, 1, "images")))
          .put("dilated convolution", ImmutableList.of(conv("body", SAME, 1, 2, "images")))
          .put(
              "depthwise",
              ImmutableList.of(
                  conv("stem", SAME, 1, 1, "images"),
                  convolution(
                      "DepthwiseConv2D",
                      "body",
                      SAME,
                      1,
                      1,
                      Map.of("depth_multiplier", 2),
                      "stem")))
          .put(
              "strided depthwise",
              ImmutableList.of(
                  conv("stem", SAME, 1, 1, "images"),
                  convolution(
                      "DepthwiseConv2D",
                      "body",
                      VALID,
                      2,
                      1,
                      Map.of("depth_multiplier", 1),
                      "stem")))
          .put(
              "separable",
              ImmutableList.of(
                  convolution(
                      "SeparableConv2D",
                      "body",
                      SAME,
                      1,
                      1,
                      Map.of("filters", 5, "depth_multiplier", 2),
                      "images")))
          .put(
              "transposed",
              ImmutableList.of(
                  convolution(
                      "Conv2DTranspose", "body", SAME, 2, 1, Map.of("filters", 4), "images")))
          .put(
              "max pooling",
              ImmutableList.of(conv("stem", SAME, 1, 1, "images"), pool("MaxPooling2D", SAME, 3)))
          .put(
              "average pooling",
              ImmutableList.of(
                  conv("stem", SAME, 1, 1, "images"), pool("AveragePooling2D", VALID, 2)))
          .put(
              "same average pooling",
              ImmutableList.of(
                  conv("stem", SAME, 1, 1, "images"), pool("AveragePooling2D", SAME, 2)))
          .put(
              "zero padding",
              ImmutableList.of(
                  border("ZeroPadding2D", "padding", "images"),
                  conv("body", VALID, 1, 1, "border")))
          .put(
              "cropping",
              ImmutableList.of(
                  conv("stem", SAME, 1, 1, "images"), border("Cropping2D", "cropping", "stem")))
          .put(
              "up sampling",
              ImmutableList.of(
                  conv("stem", SAME, 2, 1, "images"),
                  layer(
                      "UpSampling2D",
                      "body",
                      Map.of(
                          "size", List.of(2, 3), "interpolation", "nearest", "data_format", LAST),
                      "stem")))
          .put(
              "normalized",
              ImmutableList.of(
                  convolution(
                      "Conv2D",
                      "stem",
                      SAME,
                      1,
                      1,
                      Map.of("filters", 4, "activation", "linear"),
                      "images"),
                  norm("norm", "stem"),
                  layer("LeakyReLU", "body", Map.of("alpha", 0.25), "norm")))
          .put(
              "normalized first",
              ImmutableList.of(
                  norm("norm", "images"),
                  layer(
                      "ReLU",
                      "body",
                      Map.of("max_value", 6.0, "negative_slope", 0.0, "threshold", 0.0),
                      "norm")))
          .put(
              "residual",
              ImmutableList.of(
                  conv("stem", SAME, 1, 1, "images"),
                  conv("branch", SAME, 1, 1, "stem"),
                  layer("Add", "body", Map.of(), "stem", "branch")))
          .put(
              "concatenated",
              ImmutableList.of(
                  conv("stem", SAME, 1, 1, "images"),
                  conv("branch", SAME, 1, 2, "images"),
                  layer("Concatenate", "body", Map.of("axis", -1), "stem", "branch", "images")))
          .buildOrThrow();

  private static Layer layer(
      String kind, String name, Map<String, Object> settings, String... inputs) {
    return new Layer(kind, name, settings, ImmutableList.copyOf(inputs));
  }

  private static Layer conv(String name, String padding, int stride, int dilation, String input) {
    return convolution("Conv2D", name, padding, stride, dilation, Map.of("filters", 4), input);
  }

  private static Layer convolution(
      String kind,
      String name,
      String padding,
      int stride,
      int dilation,
      Map<String, Object> more,
      String input) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("kernel_size", List.of(3, 2));
    settings.put("strides", List.of(stride, stride));
    settings.put("padding", padding);
    settings.put("data_format", LAST);
    settings.put("dilation_rate", List.of(dilation, dilation));
    settings.put("groups", 1);
    settings.put("activation", "relu");
    settings.put("use_bias", true);
    for (String key : List.of("kernel", "depthwise", "pointwise")) {
      settings.put(key + "_initializer", RANDOM);
      settings.put(key + "_regularizer", null);
      settings.put(key + "_constraint", null);
    }
    settings.put("bias_initializer", ZEROS);
    settings.put("bias_regularizer", null);
    settings.put("bias_constraint", null);
    settings.put("activity_regularizer", null);
    settings.putAll(more);
    return layer(kind, name, settings, input);
  }

  private static Layer pool(String kind, String padding, int size) {
    return layer(
        kind,
        "body",
        Map.of(
            "pool_size",
            List.of(size, size),
            "padding",
            padding,
            "strides",
            List.of(2, 2),
            "data_format",
            LAST),
        "stem");
  }

  private static Layer border(String kind, String key, String input) {
    return layer(
        kind,
        input.equals("images") ? "border" : "body",
        Map.of(key, List.of(List.of(1, 2), List.of(0, 1)), "data_format", LAST),
        input);
  }

  private static Layer norm(String name, String input) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("axis", List.of(3));
    settings.put("momentum", 0.99);
    settings.put("epsilon", 1e-3);
    settings.put("center", true);
    settings.put("scale", true);
    for (String key : List.of("beta", "gamma", "moving_mean", "moving_variance")) {
      settings.put(
          key + "_initializer",
          key.startsWith("g") || key.endsWith("variance")
              ? Map.of("class_name", "Ones", "config", Map.of())
              : ZEROS);
    }
    for (String key : List.of("beta", "gamma")) {
      settings.put(key + "_regularizer", null);
      settings.put(key + "_constraint", null);
    }
    return layer("BatchNormalization", name, settings, input);
  }

  private static Layer dense(String input) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("units", 5);
    settings.put("activation", "softmax");
    settings.put("use_bias", true);
    settings.put("kernel_initializer", RANDOM);
    settings.put("bias_initializer", ZEROS);
    for (String key : List.of("kernel", "bias")) {
      settings.put(key + "_regularizer", null);
      settings.put(key + "_constraint", null);
    }
    settings.put("activity_regularizer", null);
    return layer("Dense", "classes", settings, input);
  }

  private static Layer images() {
    Map<String, Object> settings = new LinkedHashMap<>();
    List<Integer> shape = new ArrayList<>(List.of(HEIGHT, WIDTH, CHANNELS));
    shape.add(0, null);
    settings.put("batch_input_shape", shape);
    settings.put("sparse", false);
    settings.put("ragged", false);
    return layer("InputLayer", "images", settings);
  }

  private static String json(List<Layer> layers, boolean sequential) throws Exception {
    List<Map<String, Object>> written = layers.stream().map(Layer::json).toList();
    String name = "network";
    Map<String, Object> config =
        sequential
            ? Map.of("name", name, "layers", written)
            : Map.of(
                "name",
                name,
                "layers",
                written,
                "input_layers",
                List.of(List.of("images", 0, 0)),
                "output_layers",
                List.of(List.of("classes", 0, 0)));
    return new ObjectMapper()
        .writeValueAsString(
            Map.of(
                "class_name",
                sequential ? "Sequential" : "Functional",
                "config",
                config,
                "keras_version",
                "2.11.0",
                "backend",
                "tensorflow"));
  }

  private static ImmutableList<Layer> withEnds(List<Layer> body, Layer... ends) {
    return ImmutableList.<Layer>builder().add(images()).addAll(body).add(ends).build();
  }

  private static ComputationGraph functional(List<Layer> layers) throws Exception {
    ComputationGraph network =
        new ComputationGraph(
            new KerasModel()
                .modelBuilder()
                .modelJson(json(layers, false))
                .enforceTrainingConfig(false)
                .buildModel()
                .getComputationGraphConfiguration());
    network.init();
    return network.convertDataType(DataType.DOUBLE);
  }

  /** Fills what a new network leaves at zero or one with what tells channels apart. */
  private static void disturb(Map<String, INDArray> parameters) {
    Random random = new Random(17);
    parameters.forEach(
        (name, value) -> {
          if (!name.endsWith("W")) {
            for (long i = 0; i < value.length(); i++) {
              double before = value.getDouble(i);
              value.putScalar(i, (float) (before + 0.3 * random.nextDouble() - 0.1));
            }
          }
        });
  }

  private static INDArray pixels(int examples, long seed) {
    Random random = new Random(seed);
    INDArray pixels = Nd4j.create(DataType.DOUBLE, examples, HEIGHT, WIDTH, CHANNELS);
    for (long i = 0; i < pixels.length(); i++) {
      pixels.putScalar(i, (float) random.nextGaussian() * (1 + i % CHANNELS));
    }
    return pixels;
  }

  private static void requireSame(Model network, Target target, String what) {
    QuantizedModel model =
        Quantization.of(network).target(target).calibrate(pixels(40, 1)).convert();
    assertEquals(ImmutableMap.of(), GraphReader.read(model.plainNetwork()).floatReasons(), what);
    INDArray x = pixels(8, 2);
    float[] integers = Tensors.of(model.output(x).get(0)).values();
    // An output's step is far above the tolerance: all codes are the same.
    assertArrayEquals(Tensors.of(model.network().output(x).get(0)).values(), integers, 1e-6f, what);
    float[] exact = Tensors.of(Dl4jNetwork.of(network).output(x).get(0)).values();
    double sqnr = Sqnr.decibels(exact, integers);
    assertTrue(sqnr > 22, () -> what + ": " + sqnr + " dB");
  }

  static Stream<String> kinds() {
    return KINDS.keySet().stream();
  }

  private static ImmutableList<Layer> layers(String kind) {
    return Objects.requireNonNull(KINDS.get(kind));
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void anImportedLayerComputesInIntegersWhatDl4jDoes(String kind) throws Exception {
    ComputationGraph network =
        functional(
            withEnds(
                layers(kind),
                layer("Flatten", "flat", Map.of("data_format", LAST), bodyOf(kind)),
                dense("flat")));
    disturb(network.paramTable());
    for (Target target : Target.values()) {
      requireSame(network, target, kind + " for " + target);
    }
  }

  private static String bodyOf(String kind) {
    return Iterables.getLast(layers(kind)).name();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"strided same convolution", "depthwise", "separable", "residual", "concatenated"})
  void globalPoolingOfImagesWithTheChannelsLastComputesInIntegers(String kind) throws Exception {
    for (String pooling : List.of("GlobalAveragePooling2D", "GlobalMaxPooling2D")) {
      ComputationGraph network =
          functional(
              withEnds(
                  layers(kind),
                  layer(
                      pooling,
                      "pool",
                      Map.of("data_format", LAST, "keepdims", false),
                      bodyOf(kind)),
                  dense("pool")));
      disturb(network.paramTable());
      requireSame(network, Target.INTEGER, kind + " before " + pooling);
    }
  }

  @Test
  void aSequentialModelComputesInIntegersWhatDl4jDoes() throws Exception {
    List<Layer> layers =
        withEnds(
            List.of(
                conv("stem", SAME, 1, 1, "images"),
                norm("norm", "stem"),
                pool("MaxPooling2D", VALID, 2)),
            layer("Flatten", "flat", Map.of("data_format", LAST), "body"),
            dense("flat"));
    MultiLayerNetwork imported =
        new MultiLayerNetwork(
            new KerasModel()
                .modelBuilder()
                .modelJson(json(layers, true))
                .enforceTrainingConfig(false)
                .buildSequential()
                .getMultiLayerConfiguration());
    imported.init();
    MultiLayerNetwork network = imported.convertDataType(DataType.DOUBLE);
    disturb(network.paramTable());
    requireSame(network, Target.INTEGER, "sequential");
  }
}
