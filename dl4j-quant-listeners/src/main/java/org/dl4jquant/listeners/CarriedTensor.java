package org.dl4jquant.listeners;

import com.google.common.collect.ImmutableList;
import com.google.common.primitives.ImmutableDoubleArray;
import com.google.common.primitives.ImmutableIntArray;
import com.google.common.primitives.Longs;
import java.util.Optional;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.internal.Checks;
import org.dl4jquant.update.FineWeights;
import org.dl4jquant.update.ResidualTensor;
import org.dl4jquant.update.UpdateRule;
import org.dl4jquant.update.UpdateStatistics;
import org.dl4jquant.update.ValueBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** One parameter array of a bound network with its fine weights and what has happened to it. */
final class CarriedTensor {
  private static final int BLOCK = 2048;

  private final NetworkParameter parameter;
  private final long offset;
  private final ValueBuffer values;
  private final Optional<GivenFormats> formats;
  private final FineWeights fine;
  private UpdateStatistics statistics = UpdateStatistics.NONE;

  private CarriedTensor(
      NetworkParameter parameter, long offset, Optional<GivenFormats> formats, FineWeights fine) {
    this.parameter = parameter;
    this.offset = offset;
    this.formats = formats;
    this.values = scaled(parameter, formats, view(parameter));
    this.fine = fine;
  }

  /** Starts to carry the parameter from its present weights, which become coarse. */
  static CarriedTensor start(NetworkParameter parameter, long offset, CarrySettings settings) {
    Optional<GivenFormats> formats = settings.given(parameter);
    ValueBuffer values = scaled(parameter, formats, view(parameter));
    FixedPointFormat format = settings.formatFor(parameter, maxAbs(parameter, values));
    FineWeights fine = FineWeights.start(settings.ruleFor(format), values);
    return new CarriedTensor(parameter, offset, formats, fine);
  }

  /** Goes on with fine weights that belong to this parameter. */
  static CarriedTensor resume(
      NetworkParameter parameter, long offset, CarrySettings settings, FineWeights fine) {
    return new CarriedTensor(parameter, offset, settings.given(parameter), fine);
  }

  /** Returns values that are all on the grid of the first channel. */
  private static ValueBuffer scaled(
      NetworkParameter parameter, Optional<GivenFormats> formats, ValueBuffer values) {
    if (formats.isEmpty()) {
      return values;
    }
    GivenFormats given = formats.get();
    ChannelTable table = parameter.channels(given.granularity());
    Checks.that(
        table.count() == given.formats().size(),
        parameter.name(),
        "have as many channels as formats, " + given.formats().size(),
        table.count());
    return given.formats().size() == 1
        ? values
        : new ScaledValues(values, table, ImmutableDoubleArray.copyOf(given.factors()));
  }

  private static ValueBuffer view(NetworkParameter parameter) {
    INDArray array = parameter.array();
    if (!NativeValues.isContiguous(array)) {
      throw new IllegalStateException(parameter.name() + " must be contiguous in memory");
    }
    return NativeValues.view(parameter.name(), array, 0, array.length());
  }

  private static double maxAbs(NetworkParameter parameter, ValueBuffer values) {
    double largest = 0;
    double[] block = new double[Math.min(BLOCK, values.length())];
    for (int from = 0; from < values.length(); from += block.length) {
      int count = Math.min(block.length, values.length() - from);
      values.read(from, count, block);
      for (int i = 0; i < count; i++) {
        if (!Double.isFinite(block[i])) {
          throw new IllegalStateException(
              parameter.name() + " must be finite, found " + block[i] + " at " + (from + i));
        }
        largest = Math.max(largest, Math.abs(block[i]));
      }
    }
    return largest;
  }

  /** Follows one step of the updater; {@code gradient} is the update of the whole network. */
  void step(INDArray gradient) {
    ValueBuffer updates =
        scaled(
            parameter,
            formats,
            NativeValues.view("the update of " + name(), gradient, offset, values.length()));
    record(() -> fine.subtract(updates, values));
  }

  /** Makes what others did to the parameter part of the fine weights and goes back on the grid. */
  void reconcile() {
    if (!fine.matches(values)) {
      record(() -> fine.reconcile(values));
    }
  }

  private void record(Pass pass) {
    try {
      statistics = statistics.then(pass.run());
    } catch (ArithmeticException e) {
      throw new IllegalStateException(name() + ": " + e.getMessage(), e);
    }
  }

  long rescale(int fractionalLength) {
    reconcile();
    long clipped = fine.rescale(fractionalLength);
    fine.write(values);
    return clipped;
  }

  String name() {
    return parameter.name();
  }

  NetworkParameter parameter() {
    return parameter;
  }

  FineWeights fine() {
    return fine;
  }

  UpdateStatistics statistics() {
    return statistics;
  }

  void restartStatistics() {
    statistics = UpdateStatistics.NONE;
  }

  /** Returns whether a run of the parameter vector is carried here, in part or whole. */
  boolean overlaps(long otherOffset, long otherLength) {
    return offset < otherOffset + otherLength && otherOffset < offset + values.length();
  }

  /** Returns a new array of the parameter's shape with the fine weights. */
  INDArray fineWeights() {
    INDArray array = parameter.array();
    INDArray copy = Nd4j.createUninitialized(array.dataType(), array.shape(), array.ordering());
    fine.writeFine(scaled(parameter, formats, NativeValues.view(name(), copy, 0, copy.length())));
    return copy;
  }

  /** Returns a format that ends at the last digit of the residual of the finest channel. */
  FixedPointFormat residualFormat() {
    UpdateRule rule = fine.rule();
    int finer =
        formats.stream()
            .flatMap(given -> given.formats().stream())
            .mapToInt(own -> own.fractionalLength() - formats.get().common().fractionalLength())
            .max()
            .orElse(0);
    return rule.weightFormat().withFractionalLength(rule.residualFractionalLength() + finer);
  }

  ResidualTensor residualTensor() {
    return new ResidualTensor(
        parameter.layer(),
        parameter.parameter(),
        ImmutableList.copyOf(Longs.asList(parameter.array().shape())),
        fine,
        formats.map(GivenFormats::fractionalLengths).orElse(ImmutableIntArray.of()));
  }

  /** A pass over the tensor. */
  private interface Pass {
    UpdateStatistics run();
  }
}
