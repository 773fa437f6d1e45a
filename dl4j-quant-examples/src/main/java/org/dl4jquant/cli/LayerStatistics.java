package org.dl4jquant.cli;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.QuantizedModel;
import org.dl4jquant.precision.LayerDescription;
import org.dl4jquant.precision.LayerPrecision;
import org.dl4jquant.precision.LayerStatistic;
import org.dl4jquant.precision.OutputClassPolicy;
import org.dl4jquant.precision.PrecisionPlan;
import org.dl4jquant.report.LayerRow;
import org.dl4jquant.report.QuantizationReport;
import org.dl4jquant.stats.WeightDifferences;

/** The numbers by which layers are ranked for low precision, lowest first. */
final class LayerStatistics {
  /** How a file begins that {@code WeightDifferenceListener.save} wrote. */
  private static final byte[] CHECKPOINT = "DL4JQWDL".getBytes(StandardCharsets.US_ASCII);

  private static final double DECIBELS_PER_DECADE = 10;

  private LayerStatistics() {}

  /**
   * Reads what a listener recorded in training.
   *
   * @throws org.dl4jquant.stats.InvalidStatisticsException if the file is something else
   * @throws IllegalArgumentException if another network was watched
   */
  static ImmutableList<LayerStatistic> read(Path file, Quantization quantization) {
    requireNoCheckpoint(file);
    String json = read(file);
    WeightDifferences differences = WeightDifferences.fromJson(json, file.toString());
    try {
      differences.requireMatches(
          quantization.layers().stream()
              .collect(
                  ImmutableMap.toImmutableMap(
                      LayerDescription::name, LayerDescription::weightCount)));
      return LayerStatistic.of(differences);
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new CommandFailedException(file + ": " + e.getMessage(), e);
    }
  }

  private static void requireNoCheckpoint(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      if (Arrays.equals(in.readNBytes(CHECKPOINT.length), CHECKPOINT)) {
        throw new CommandFailedException(
            file + ": is a checkpoint of a listener; write snapshot().toJson() instead");
      }
    } catch (IOException e) {
      throw new CommandFailedException(file + ": cannot be read: " + Messages.of(e), e);
    }
  }

  /** Returns the content of a text file. */
  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new CommandFailedException(file + ": cannot be read: " + Messages.of(e), e);
    }
  }

  /**
   * Returns what there is to go by where training was not watched: the noise that weights of {@code
   * bits} bits add, in parts of the signal, from the weights alone.
   */
  static ImmutableList<LayerStatistic> ofNoise(Quantization quantization, int bits) {
    QuantizedModel low =
        quantization
            .outputClasses(OutputClassPolicy.NONE)
            .convert(PrecisionPlan.uniform(LayerPrecision.weights(bits)));
    Map<String, LayerRow> rows =
        QuantizationReport.of(low).rows().stream()
            .collect(ImmutableMap.toImmutableMap(LayerRow::name, Function.identity()));
    ImmutableList.Builder<LayerStatistic> statistics = ImmutableList.builder();
    for (LayerDescription layer : quantization.layers()) {
      LayerRow row = rows.get(layer.name());
      if (row != null && row.floatReason().isEmpty()) {
        statistics.add(
            LayerStatistic.of(layer.name(), Math.pow(10, -row.sqnrDb() / DECIBELS_PER_DECADE)));
      }
    }
    return statistics.build();
  }
}
