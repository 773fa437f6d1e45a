package org.dl4jquant.strategy;

import com.google.common.collect.ImmutableList;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.dl4jquant.format.FixedPointFormat;
import org.dl4jquant.stats.ChannelProfile;
import org.dl4jquant.stats.TensorProfile;

/**
 * First the family of the distribution, then the fractional length that is best for it and the
 * deviation that was seen (method F).
 */
final class PdfAware implements FormatStrategy {
  static final PdfAware CLASSIFIED =
      new PdfAware(
          "pdf",
          (profile, shape, bitWidth, signed) ->
              PdfClassifier.bundled().family(profile, shape, bitWidth, signed),
          false);
  static final PdfAware NEAREST_KURTOSIS =
      new PdfAware(
          "pdf:kurtosis",
          (profile, shape, bitWidth, signed) -> PdfFamily.nearest(shape.kurtosis()),
          false);
  static final PdfAware REFINED = new PdfAware("pdf:refined", CLASSIFIED.families, true);

  private final String name;
  private final Families families;
  private final boolean refines;

  private PdfAware(String name, Families families, boolean refines) {
    this.name = name;
    this.families = families;
    this.refines = refines;
  }

  /** From a profile whose values are not all the same to a family. */
  private interface Families {
    PdfFamily of(ChannelProfile profile, MirroredShape shape, int bitWidth, boolean signed);
  }

  /** Few values, or all the same, tell no distribution. */
  private static boolean tells(ChannelProfile profile, MirroredShape shape, boolean signed) {
    return FormatLimits.reach(profile, signed) > 0
        && shape.count() >= MIN_CHANNEL_COUNT
        && !shape.constant();
  }

  @Override
  public Optional<PdfFamily> family(ChannelProfile profile, int bitWidth, boolean signed) {
    MirroredShape shape = MirroredShape.of(profile, signed);
    return tells(profile, shape, signed)
        ? Optional.of(families.of(profile, shape, bitWidth, signed))
        : Optional.empty();
  }

  @Override
  public FixedPointFormat choose(ChannelProfile profile, int bitWidth, boolean signed) {
    FixedPointFormat widest =
        FormatLimits.reaching(FormatLimits.reach(profile, signed), bitWidth, signed);
    return family(profile, bitWidth, signed)
        .map(family -> of(family, profile, widest))
        .orElse(widest);
  }

  private FixedPointFormat of(PdfFamily family, ChannelProfile profile, FixedPointFormat widest) {
    boolean signed = widest.signed();
    double deviation = MirroredShape.of(profile, signed).deviation();
    int length = family.fractionalLength(deviation, widest.bitWidth() + (signed ? 0 : 1));
    FixedPointFormat format =
        FormatLimits.limited(
            widest.withFractionalLength(Math.max(widest.fractionalLength(), length)));
    return refines ? refined(profile, format) : format;
  }

  /** Looks one step to either side, by the histogram. */
  private static FixedPointFormat refined(ChannelProfile profile, FixedPointFormat format) {
    ExpectedError error = ExpectedError.of(profile);
    FixedPointFormat best = format;
    double least = error.of(format);
    for (int away : new int[] {-1, 1}) {
      FixedPointFormat other =
          FormatLimits.limited(format.withFractionalLength(format.fractionalLength() + away));
      if (error.of(other) < least) {
        least = error.of(other);
        best = other;
      }
    }
    return best;
  }

  /**
   * A channel of few values gets the format of the tensor for the family that most other channels
   * have.
   */
  @Override
  public ImmutableList<FixedPointFormat> chooseEach(
      TensorProfile profile, int bitWidth, boolean signed) {
    FixedPointFormat whole =
        FormatLimits.reaching(FormatLimits.reach(profile.whole(), signed), bitWidth, signed);
    FixedPointFormat fallback =
        majority(profile, bitWidth, signed)
            .filter(family -> FormatLimits.reach(profile.whole(), signed) > 0)
            .map(family -> of(family, profile.whole(), whole))
            .orElseGet(() -> choose(profile.whole(), bitWidth, signed));
    return ChannelFormats.choose(this, profile, fallback);
  }

  private Optional<PdfFamily> majority(TensorProfile profile, int bitWidth, boolean signed) {
    Map<PdfFamily, Integer> counts = new EnumMap<>(PdfFamily.class);
    profile
        .channels()
        .forEach(
            channel ->
                family(channel, bitWidth, signed)
                    .ifPresent(family -> counts.merge(family, 1, Integer::sum)));
    return counts.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey);
  }

  @Override
  public String toString() {
    return name;
  }
}
