package org.dl4jquant.internal;

import com.google.common.collect.ImmutableList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a user may have meant by a name that nothing has. */
public final class NearNames {
  private static final int MOST = 3;
  private static final int LISTED = 12;
  private static final int CHARACTERS_PER_EDIT = 3;

  private NearNames() {}

  /**
   * Returns the candidates near a name, nearest first and at most 3: those that one edit for every
   * 3 of its characters makes of it (at least 2 edits; letters compare without case), and those
   * that contain it.
   */
  public static ImmutableList<String> of(String name, Collection<String> candidates) {
    String wanted = name.toLowerCase(Locale.ROOT);
    int most = Math.max(2, wanted.length() / CHARACTERS_PER_EDIT);
    return candidates.stream()
        .distinct()
        .filter(
            candidate ->
                distance(wanted, candidate.toLowerCase(Locale.ROOT)) <= most
                    || contains(candidate.toLowerCase(Locale.ROOT), wanted))
        .sorted(
            Comparator.comparingInt(
                candidate -> distance(wanted, candidate.toLowerCase(Locale.ROOT))))
        .limit(MOST)
        .collect(ImmutableList.toImmutableList());
  }

  /** Returns {@code ; near: a, b} to be appended to a message, or nothing where no name is near. */
  public static String hint(String name, Collection<String> candidates) {
    ImmutableList<String> near = of(name, candidates);
    return near.isEmpty() ? "" : "; near: " + String.join(", ", near);
  }

  /** Returns the candidates for a message, the first few if there are many. */
  public static String listed(Collection<String> candidates) {
    return candidates.size() <= LISTED
        ? candidates.toString()
        : candidates.stream().limit(LISTED).collect(Collectors.joining(", ", "[", ""))
            + ", and "
            + (candidates.size() - LISTED)
            + " more]";
  }

  private static boolean contains(String candidate, String wanted) {
    return wanted.length() >= CHARACTERS_PER_EDIT && candidate.contains(wanted);
  }

  /** Returns Levenshtein's distance. */
  private static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[other.length()];
  }
}
