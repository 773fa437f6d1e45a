package org.dl4jquant.dl4j;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Optional;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.dl4jquant.graph.Flatten;
import org.dl4jquant.graph.FloatFunction;
import org.dl4jquant.graph.Op;
import org.dl4jquant.graph.Permute;
import org.dl4jquant.graph.Reshape;
import org.dl4jquant.graph.Shape;

/** Draws what stands between two layers of different shapes. Most of it moves nothing. */
final class Preprocessors {
  private static final String REASON = "nothing in integers is known for its preprocessor";

  private final Sketch sketch;
  private final String layer;
  private int nodes;

  private Preprocessors(Sketch sketch, String layer) {
    this.sketch = sketch;
    this.layer = layer;
  }

  /** Draws the preprocessor of a layer; nodes are named {@code layer/input}. */
  static Value draw(Sketch sketch, String layer, InputPreProcessor preprocessor, Value input) {
    return new Preprocessors(sketch, layer).draw(preprocessor, input);
  }

  private Value draw(InputPreProcessor preprocessor, Value input) {
    if (preprocessor instanceof ComposableInputPreProcessor all) {
      Value value = input;
      for (InputPreProcessor one : all.getInputPreProcessors()) {
        value = draw(one, value);
      }
      return value;
    }
    Class<?> kind = preprocessor.getClass();
    if (kind == CnnToFeedForwardPreProcessor.class) {
      return toRows(input);
    }
    if (kind == FeedForwardToCnnPreProcessor.class) {
      var to = (FeedForwardToCnnPreProcessor) preprocessor;
      return toImages(input, to.getNumChannels(), to.getInputHeight(), to.getInputWidth());
    }
    if (kind == RnnToFeedForwardPreProcessor.class) {
      return perStep(input, ((RnnToFeedForwardPreProcessor) preprocessor).getRnnDataFormat());
    }
    if (kind == FeedForwardToRnnPreProcessor.class) {
      return toSequence(input, ((FeedForwardToRnnPreProcessor) preprocessor).getRnnDataFormat());
    }
    if (kind == CnnToRnnPreProcessor.class) {
      return toSequence(toRows(input), ((CnnToRnnPreProcessor) preprocessor).getRnnDataFormat());
    }
    if (kind == RnnToCnnPreProcessor.class) {
      var to = (RnnToCnnPreProcessor) preprocessor;
      Value steps = perStep(input, to.getRnnDataFormat());
      return toImages(steps, to.getNumChannels(), to.getInputHeight(), to.getInputWidth());
    }
    return other(preprocessor, input);
  }

  private Value add(Op op, Layout layout, Value input) {
    nodes++;
    String name = layer + "/input" + (nodes == 1 ? "" : nodes);
    return sketch.add(name, op, layer, layout, List.of(input.node()));
  }

  private Value toRows(Value input) {
    Value value = sketch.asInDl4j(input);
    Shape shape = sketch.shape(value);
    if (!value.perStep()) {
      return shape.rank() == 1 ? value : add(new Flatten(), Layout.AS_IN_DL4J, value);
    }
    if (value.has(Layout.STEPS) || shape.rank() == 2) {
      return value;
    }
    return add(new Reshape(Shape.of(shape.size(0), elementsPerStep(shape))), value.layout(), value);
  }

  private static int elementsPerStep(Shape shape) {
    return Shape.of(shape.sizes().subArray(1, shape.rank()).toArray()).elements();
  }

  private Value toImages(Value input, long channels, long height, long width) {
    int c = Math.toIntExact(channels);
    int h = Math.toIntExact(height);
    int w = Math.toIntExact(width);
    Value value = input.has(Layout.STEPS) ? sketch.folded(input) : input;
    Shape shape = sketch.shape(value);
    if (value.has(Layout.FOLDED)) {
      return shape.rank() == 2
          ? add(new Reshape(Shape.of(shape.size(0), c, h, w)), Layout.FOLDED, value)
          : value;
    }
    return shape.rank() == 1
        ? add(new Reshape(Shape.of(c, h, w)), Layout.AS_IN_DL4J, value)
        : value;
  }

  /** From {@code [batch, features, time]} to {@code [batch * time, features]}. */
  private Value perStep(Value input, RNNFormat format) {
    if (input.perStep() || sketch.shape(input).rank() != 2) {
      return input;
    }
    if (format == RNNFormat.NCW) {
      return new Value(sketch.asInDl4j(input).node(), Layout.STEPS);
    }
    return input.has(Layout.CHANNELS_LAST)
        ? new Value(input.node(), Layout.STEPS)
        : new Value(input.node(), Layout.FOLDED);
  }

  private Value toSequence(Value input, RNNFormat format) {
    boolean last = format == RNNFormat.NWC;
    Shape shape = sketch.shape(input);
    if (input.has(Layout.STEPS)) {
      return new Value(input.node(), last ? Layout.CHANNELS_LAST : Layout.AS_IN_DL4J);
    }
    if (input.has(Layout.FOLDED)) {
      return last
          ? new Value(input.node(), Layout.AS_IN_DL4J)
          : add(Permute.of(1, 0), Layout.AS_IN_DL4J, input);
    }
    if (shape.rank() != 1) {
      return input;
    }
    int size = shape.size(0);
    Shape one = last ? Shape.of(1, size) : Shape.of(size, 1);
    return add(new Reshape(one), Layout.AS_IN_DL4J, input);
  }

  private Value other(InputPreProcessor preprocessor, Value input) {
    Value value = sketch.folded(sketch.asInDl4j(input));
    FloatFunction.Kernel kernel = sketch.kernel(new PreprocessorArrays(preprocessor), value);
    Optional<ImmutableList<Op>> movement = Movement.of(kernel, sketch.shape(value));
    if (movement.isEmpty()) {
      sketch.floatReason(layer, REASON);
      String kind = preprocessor.getClass().getSimpleName();
      return add(new FloatFunction(kind, REASON, kernel), value.layout(), value);
    }
    for (Op op : movement.get()) {
      value = add(op, value.layout(), value);
    }
    return value;
  }
}
