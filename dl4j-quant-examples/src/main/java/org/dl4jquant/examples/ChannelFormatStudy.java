package org.dl4jquant.examples;

import com.google.common.collect.ImmutableList;
import com.google.common.math.Stats;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.dl4jquant.Quantization;
import org.dl4jquant.convert.Alignment;
import org.dl4jquant.examples.IntegerAccuracyStudy.Setting;
import org.dl4jquant.examples.IntegerAccuracyStudy.Subject;
import org.dl4jquant.precision.Scheme;
import org.dl4jquant.precision.Target;
import org.dl4jquant.strategy.FormatStrategy;

/**
 * What formats per channel gain (method A), and what affine ones would: the networks of {@link
 * IntegerAccuracyStudy}, and its trained ones if the directory has them, with one format per value
 * and with one per channel, by the SQNR of the logits on the test split.
 */
public final class ChannelFormatStudy {
  private static final int FEW = 10;
  private static final int MANY = 500;

  static final ImmutableList<Setting> SETTINGS =
      ImmutableList.of(
          setting("W8A8 layer", MANY, start -> onnx(bits(start, 8, 8), Alignment.NONE)),
          setting("W8A8 ALIGN_MIN", MANY, start -> onnx(bits(start, 8, 8), Alignment.ALIGN_MIN)),
          setting("W8A8 balanced", MANY, start -> onnx(bits(start, 8, 8), Alignment.BALANCED)),
          setting("W8A8 SHIFT_MAX", MANY, start -> bits(start, 8, 8)),
          setting("W8A8 affine", MANY, start -> affine(bits(start, 8, 8))),
          setting(
              "W8A8 SHIFT_MAX, channel-statistics",
              MANY,
              start -> bits(start, 8, 8).strategy(FormatStrategy.channelStatistics())),
          setting("W8A8 OUTPUT", MANY, start -> bits(start, 8, 8).alignment(Alignment.OUTPUT)),
          setting(
              "W8A8 balanced, 10 images",
              FEW,
              start -> onnx(bits(start, 8, 8), Alignment.BALANCED)),
          setting("W8A8 SHIFT_MAX, 10 images", FEW, start -> bits(start, 8, 8)),
          setting("W8A8 affine, 10 images", FEW, start -> affine(bits(start, 8, 8))),
          setting("W4A8 layer", MANY, start -> onnx(bits(start, 4, 8), Alignment.NONE)),
          setting("W4A8 ALIGN_MIN", MANY, start -> onnx(bits(start, 4, 8), Alignment.ALIGN_MIN)),
          setting("W4A8 balanced", MANY, start -> onnx(bits(start, 4, 8), Alignment.BALANCED)),
          setting("W4A8 SHIFT_MAX", MANY, start -> bits(start, 4, 8)),
          setting("W4A8 affine", MANY, start -> affine(bits(start, 4, 8))));

  private ChannelFormatStudy() {}

  private static Setting setting(String name, int examples, UnaryOperator<Quantization> way) {
    return new Setting(name, examples, way);
  }

  private static Quantization onnx(Quantization start, Alignment alignment) {
    return start.target(Target.ONNX).alignment(alignment);
  }

  private static Quantization affine(Quantization start) {
    return start.target(Target.ONNX).scheme(Scheme.AFFINE);
  }

  private static Quantization bits(Quantization start, int weights, int values) {
    return start.weightBits(weights).activationBits(values).strategy(FormatStrategy.minMse());
  }

  /**
   * Runs the study, or what is left of it.
   *
   * @param arguments the directory, which is made if there is none, how many seeds (5), and
   *     patterns of the networks and of the settings (all)
   */
  public static void main(String[] arguments) throws IOException {
    Path directory = Path.of(arguments.length > 0 ? arguments[0] : "channel-formats");
    int seeds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5;
    List<Subject> subjects =
        IntegerAccuracyStudy.SUBJECTS.stream()
            .filter(s -> arguments.length < 3 || s.network().matches(arguments[2]))
            .toList();
    List<Setting> settings =
        SETTINGS.stream()
            .filter(s -> arguments.length < 4 || s.name().matches(arguments[3]))
            .toList();
    AccuracyTable table =
        new IntegerAccuracyStudy(directory)
            .run(subjects, LongStream.range(42, 42 + seeds).boxed().toList(), settings);
    String text =
        markdown(table, "SQNR of the logits in dB", "%.1f", AccuracyTrial::logitSqnrDb)
            + markdown(table, "Points of accuracy lost", "%.2f", AccuracyTrial::pointsLost);
    System.out.print(text);
    Files.writeString(directory.resolve("channel-formats.md"), text);
  }

  private static String markdown(
      AccuracyTable table, String title, String form, ToDoubleFunction<AccuracyTrial> value) {
    Set<String> settings = new LinkedHashSet<>();
    Set<List<String>> networks = new LinkedHashSet<>();
    table
        .trials()
        .forEach(
            trial -> {
              settings.add(trial.setting());
              networks.add(List.of(trial.data(), trial.network()));
            });
    StringBuilder text = new StringBuilder("\n## " + title + "\n\n| data | network |");
    settings.forEach(setting -> text.append(' ').append(setting).append(" |"));
    text.append("\n|---|---|").append("---|".repeat(settings.size())).append('\n');
    for (List<String> network : networks) {
      text.append("| ").append(String.join(" | ", network)).append(" |");
      for (String setting : settings) {
        text.append(
            cell(
                table,
                form,
                value,
                t ->
                    t.network().equals(network.get(1))
                        && t.data().equals(network.get(0))
                        && t.setting().equals(setting)));
      }
      text.append('\n');
    }
    text.append("| all | |");
    settings.forEach(s -> text.append(cell(table, form, value, t -> t.setting().equals(s))));
    return text.append('\n').toString();
  }

  private static String cell(
      AccuracyTable table,
      String form,
      ToDoubleFunction<AccuracyTrial> value,
      Predicate<AccuracyTrial> which) {
    List<Double> all = new ArrayList<>();
    table.trials().stream().filter(which).forEach(t -> all.add(value.applyAsDouble(t)));
    return all.isEmpty()
        ? " – |"
        : String.format(Locale.ROOT, " " + form + " |", Stats.of(all).mean());
  }
}
