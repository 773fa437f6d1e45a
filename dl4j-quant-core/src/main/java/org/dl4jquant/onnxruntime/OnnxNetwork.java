package org.dl4jquant.onnxruntime;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSet;
import com.google.common.primitives.Ints;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.dl4jquant.dl4j.Tensors;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.onnx.OnnxModel;
import org.dl4jquant.tensor.Tensor;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An ONNX model in ONNX Runtime, to be used where a DL4J network was used for inference.
 *
 * <p>Inputs and outputs are FLOAT, the batch first. Thread-safe; {@link #close} waits for runs that
 * have begun, and releases native memory.
 */
public final class OnnxNetwork implements AutoCloseable {
  /** Protocol buffers, and so ONNX files, end here; larger models keep their constants beside. */
  private static final long MAX_FILE_BYTES = Integer.MAX_VALUE;

  private final Session session;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  private OnnxNetwork(Session session) {
    this.session = session;
  }

  /** Returns the model of a file, with the default options. */
  public static OnnxNetwork open(Path file) {
    return open(file, OnnxRuntimeOptions.DEFAULTS);
  }

  /**
   * Returns the model of a file.
   *
   * @throws UncheckedIOException if there is no such file
   * @throws InvalidOnnxException if it is not an ONNX model, is damaged or too large, uses
   *     operations that ONNX Runtime does not know, or takes something else than FLOAT tensors
   * @throws OnnxRuntimeMissingException if ONNX Runtime is not on the class path
   */
  public static OnnxNetwork open(Path file, OnnxRuntimeOptions options) {
    try {
      long bytes = Files.size(file);
      if (!Files.isRegularFile(file)) {
        throw new InvalidOnnxException(file.toString(), "is not a file");
      }
      if (bytes == 0 || bytes > MAX_FILE_BYTES) {
        throw new InvalidOnnxException(
            file.toString(), "must have 1 to " + MAX_FILE_BYTES + " bytes, found " + bytes);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": cannot be read: " + e, e);
    }
    return opened(
        () ->
            Session.open(
                file.toString(),
                options,
                (environment, settings) ->
                    environment.createSession(file.toAbsolutePath().toString(), settings)));
  }

  /** Returns a model that need not be written to a file. */
  public static OnnxNetwork of(OnnxModel model, OnnxRuntimeOptions options) {
    return of(model.toByteArray(), options);
  }

  /** Returns the model of these bytes; errors as {@link #open(Path, OnnxRuntimeOptions)}. */
  public static OnnxNetwork of(byte[] model, OnnxRuntimeOptions options) {
    return opened(
        () ->
            Session.open(
                "model",
                options,
                (environment, settings) -> environment.createSession(model, settings)));
  }

  private static OnnxNetwork opened(Supplier<Session> session) {
    try {
      return new OnnxNetwork(session.get());
    } catch (LinkageError e) {
      throw new OnnxRuntimeMissingException(e);
    }
  }

  /** Returns the names of the inputs, in order. */
  public ImmutableList<String> inputs() {
    return session.inputs().keySet().asList();
  }

  /** Returns the names of the outputs, in order. */
  public ImmutableList<String> outputs() {
    return session.outputs().keySet().asList();
  }

  /**
   * Returns the first output.
   *
   * @param inputs one per input, in order, any floating-point type and element order
   * @return FLOAT, in 'c' order
   * @throws IllegalArgumentException if number or shapes are not those of the model
   * @throws IllegalStateException if the network is closed
   */
  public INDArray output(INDArray... inputs) {
    return outputs(inputs)[0];
  }

  /** Returns all outputs, in order; see {@link #output(INDArray...)}. */
  public INDArray[] outputs(INDArray... inputs) {
    Checks.that(
        inputs.length == inputs().size(),
        "inputs",
        "be " + inputs().size() + ", " + inputs(),
        inputs.length);
    Map<String, Tensor> named = new LinkedHashMap<>();
    for (int i = 0; i < inputs.length; i++) {
      named.put(inputs().get(i), Tensors.of(inputs[i]));
    }
    return outputs(named).values().stream().map(Tensors::toArray).toArray(INDArray[]::new);
  }

  /** Returns all outputs by name, for all inputs by name; see {@link #output(INDArray...)}. */
  public ImmutableMap<String, Tensor> outputs(Map<String, Tensor> inputs) {
    ImmutableSet<String> wanted = session.outputs().keySet();
    return ImmutableMap.copyOf(run(inputs, wanted, (name, tensor) -> Session.floats(tensor)));
  }

  <T> Map<String, T> run(
      Map<String, Tensor> inputs, ImmutableSet<String> wanted, Session.Reader<T> reader) {
    Checks.that(
        inputs.keySet().equals(session.inputs().keySet()),
        "inputs",
        "be " + inputs(),
        inputs.keySet());
    session.inputs().forEach((name, value) -> requireFits(value, inputs.get(name)));
    Checks.that(
        inputs.values().stream().mapToInt(tensor -> tensor.size(0)).distinct().count() == 1,
        "inputs",
        "have one batch size",
        inputs.values());
    lock.readLock().lock();
    try {
      Checks.state(!closed, "the network is closed");
      return session.run(inputs, wanted, reader);
    } finally {
      lock.readLock().unlock();
    }
  }

  private static void requireFits(Session.Value value, @Nullable Tensor tensor) {
    int[] found = tensor == null ? new int[0] : tensor.shape();
    List<Long> sizes = value.sizes();
    boolean fits = found.length == sizes.size();
    for (int axis = 0; fits && axis < found.length; axis++) {
      fits = found[axis] > 0 && (sizes.get(axis) < 0 || sizes.get(axis) == found[axis]);
    }
    Checks.that(
        fits,
        "input '" + value.name() + "'",
        "have shape " + sizes + " (-1 for any size from 1)",
        Arrays.toString(found));
  }

  /**
   * Runs once on zeros, so that the first real call finds its memory allocated.
   *
   * @param batch the batch size to come
   * @throws IllegalArgumentException if an input has a size that only data tells
   */
  public void warmUp(int batch) {
    Checks.positive("batch", batch);
    ImmutableMap.Builder<String, Tensor> zeros = ImmutableMap.builder();
    session
        .inputs()
        .forEach(
            (name, value) -> {
              List<Long> sizes = value.sizes().subList(1, value.sizes().size());
              Checks.that(
                  sizes.stream().allMatch(size -> size > 0),
                  "input '" + name + "'",
                  "have known sizes after the batch",
                  sizes);
              int[] shape = Ints.concat(new int[] {batch}, Ints.toArray(sizes));
              zeros.put(name, Tensor.zeros(shape));
            });
    outputs(zeros.buildOrThrow());
  }

  /** Releases the native memory; a second call does nothing. */
  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        session.close();
      }
    } finally {
      lock.writeLock().unlock();
    }
  }
}
