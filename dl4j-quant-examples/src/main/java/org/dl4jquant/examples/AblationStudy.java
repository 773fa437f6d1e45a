package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.dl4jquant.Quantization;
import org.dl4jquant.examples.IntegerAccuracyStudy.Setting;
import org.dl4jquant.examples.IntegerAccuracyStudy.Subject;
import org.dl4jquant.strategy.FormatStrategy;

/**
 * What each option of conversion gains: the networks and data of {@link IntegerAccuracyStudy},
 * three pairs of widths, and one option at a time changed from the default.
 */
public final class AblationStudy {
  private static final int MANY = 500;
  private static final int FEW = 10;
  private static final int[][] WIDTHS = {{8, 8}, {6, 6}, {4, 8}};

  private AblationStudy() {}

  /**
   * Runs the study, or what is left of it.
   *
   * @param arguments the directory of {@link IntegerAccuracyStudy}; how many seeds (default 2); a
   *     part of the names of the settings to run (default all); a part of the subjects' names
   */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments.length > 0 ? arguments[0] : "integer-accuracy");
    int seeds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 2;
    String part = arguments.length > 2 ? arguments[2] : "";
    String subject = arguments.length > 3 ? arguments[3] : "";
    List<Setting> settings =
        settings().stream().filter(setting -> setting.name().contains(part)).toList();
    List<Subject> subjects =
        IntegerAccuracyStudy.SUBJECTS.stream()
            .filter(s -> (s.data() + " " + s.network()).contains(subject))
            .toList();
    AccuracyTable table =
        new IntegerAccuracyStudy(directory)
            .run(subjects, IntegerAccuracyStudy.SEEDS.subList(0, seeds), settings);
    System.out.print(table.markdown());
    Files.writeString(directory.resolve("ablation.md"), table.markdown());
  }

  static ImmutableList<Setting> settings() {
    ImmutableList.Builder<Setting> settings = ImmutableList.builder();
    for (int[] widths : WIDTHS) {
      settings.add(
          of(widths, "default", start -> start),
          of(widths, "nearest rounding", start -> start.adaptiveRounding(false)),
          of(widths, "adaptive rounding", start -> start.adaptiveRounding(true)),
          new Setting(
              "W%dA%d, adaptive rounding, 10 images".formatted(widths[0], widths[1]),
              FEW,
              start -> of(widths, "", way -> way.adaptiveRounding(true)).way().apply(start)),
          new Setting(
              "W%dA%d, nearest rounding, 10 images".formatted(widths[0], widths[1]),
              FEW,
              start -> of(widths, "", way -> way.adaptiveRounding(false)).way().apply(start)),
          of(
              widths,
              "nearest rounding, biases as they are",
              start -> uncorrected(start.adaptiveRounding(false))),
          of(
              widths,
              "adaptive rounding, biases as they are",
              start -> uncorrected(start.adaptiveRounding(true))));
      for (String strategy : FormatStrategy.names()) {
        settings.add(of(widths, strategy, start -> start.strategy(FormatStrategy.named(strategy))));
      }
    }
    return settings.build();
  }

  private static Quantization uncorrected(Quantization start) {
    return start.conversion(start.conversion().withBiasCorrection(false));
  }

  private static Setting of(int[] widths, String name, UnaryOperator<Quantization> way) {
    return new Setting(
        "W%dA%d, %s".formatted(widths[0], widths[1], name),
        MANY,
        start -> way.apply(start.weightBits(widths[0]).activationBits(widths[1])));
  }
}
