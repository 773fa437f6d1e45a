package org.dl4jquant.dl4j;

import java.util.Optional;
import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.Cnn3DToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToFeedForwardPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.CnnToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.ComposableInputPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnn3DPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.FeedForwardToRnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToCnnPreProcessor;
import org.deeplearning4j.nn.conf.preprocessor.RnnToFeedForwardPreProcessor;
import org.dl4jquant.graph.Shape;

/** What preprocessors demand of their input. */
final class TakenByPreprocessor {
  private TakenByPreprocessor() {}

  static Optional<TakenShape> of(InputPreProcessor preprocessor) {
    if (preprocessor instanceof ComposableInputPreProcessor all) {
      InputPreProcessor[] parts = all.getInputPreProcessors();
      return parts.length == 0 ? Optional.empty() : of(parts[0]);
    }
    if (preprocessor instanceof CnnToFeedForwardPreProcessor from) {
      return Optional.of(
          image(
              from.getNumChannels(),
              from.getInputHeight(),
              from.getInputWidth(),
              from.getFormat()));
    }
    if (preprocessor instanceof CnnToRnnPreProcessor from) {
      return Optional.of(
          image(
              from.getNumChannels(),
              from.getInputHeight(),
              from.getInputWidth(),
              CNN2DFormat.NCHW));
    }
    if (preprocessor instanceof FeedForwardToCnnPreProcessor to) {
      return Optional.of(
          TakenShape.row(to.getNumChannels() * to.getInputHeight() * to.getInputWidth()));
    }
    if (preprocessor instanceof FeedForwardToRnnPreProcessor) {
      return Optional.of(TakenShape.row(Shape.UNKNOWN));
    }
    if (preprocessor instanceof RnnToFeedForwardPreProcessor from) {
      return Optional.of(TakenShape.sequence(Shape.UNKNOWN, from.getRnnDataFormat()));
    }
    if (preprocessor instanceof RnnToCnnPreProcessor to) {
      long size = (long) to.getNumChannels() * to.getInputHeight() * to.getInputWidth();
      return Optional.of(TakenShape.sequence(size, to.getRnnDataFormat()));
    }
    return ofVolume(preprocessor);
  }

  private static Optional<TakenShape> ofVolume(InputPreProcessor preprocessor) {
    if (preprocessor instanceof Cnn3DToFeedForwardPreProcessor from) {
      int[] sizes = {
        Math.toIntExact(from.getNumChannels()),
        Math.toIntExact(from.getInputDepth()),
        Math.toIntExact(from.getInputHeight()),
        Math.toIntExact(from.getInputWidth())
      };
      return Optional.of(
          from.isNCDHW()
              ? new TakenShape(Shape.of(sizes), 0)
              : new TakenShape(Shape.of(sizes[1], sizes[2], sizes[3], sizes[0]), 3));
    }
    return preprocessor instanceof FeedForwardToCnn3DPreProcessor to
        ? Optional.of(
            TakenShape.row(
                (long) to.getNumChannels()
                    * to.getInputDepth()
                    * to.getInputHeight()
                    * to.getInputWidth()))
        : Optional.empty();
  }

  private static TakenShape image(long channels, long height, long width, CNN2DFormat format) {
    int c = Math.toIntExact(channels);
    int h = Math.toIntExact(height);
    int w = Math.toIntExact(width);
    return format == CNN2DFormat.NHWC
        ? new TakenShape(Shape.of(h, w, c), 2)
        : new TakenShape(Shape.of(c, h, w), 0);
  }
}
