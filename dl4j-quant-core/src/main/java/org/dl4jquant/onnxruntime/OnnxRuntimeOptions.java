package org.dl4jquant.onnxruntime;

import org.dl4jquant.internal.Checks;

/**
 * How ONNX Runtime runs a model.
 *
 * @param threads how many threads compute one operation; 0 leaves it to ONNX Runtime, which takes
 *     the physical cores
 * @param optimization how far ONNX Runtime may rewrite the graph
 */
public record OnnxRuntimeOptions(int threads, Optimization optimization) {
  /** The levels of ONNX Runtime. */
  public enum Optimization {
    NONE,
    BASIC,
    EXTENDED,
    ALL
  }

  /** All cores, all rewritings. */
  public static final OnnxRuntimeOptions DEFAULTS = new OnnxRuntimeOptions(0, Optimization.ALL);

  public OnnxRuntimeOptions {
    Checks.inRange("threads", threads, 0, 1024);
  }

  /** Returns the same options with this number of threads. */
  public OnnxRuntimeOptions withThreads(int number) {
    return new OnnxRuntimeOptions(number, optimization);
  }

  /** Returns the same options with this level. */
  public OnnxRuntimeOptions withOptimization(Optimization level) {
    return new OnnxRuntimeOptions(threads, level);
  }
}
