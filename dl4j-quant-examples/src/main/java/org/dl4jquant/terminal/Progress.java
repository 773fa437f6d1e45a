package org.dl4jquant.terminal;

import java.io.PrintStream;
import java.util.Optional;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * How far a task is: a bar that moves if the process is attached to a terminal, else one line when
 * it starts. Both go to the error stream, so that the output stays clean for pipes. Not
 * thread-safe.
 */
public final class Progress implements AutoCloseable {
  private static final int REDRAW_MILLIS = 200;

  private final Optional<ProgressBar> bar;

  private Progress(Optional<ProgressBar> bar) {
    this.bar = bar;
  }

  /**
   * Starts to show a task.
   *
   * @param steps the length of the task; a negative number if it is unknown
   */
  @SuppressWarnings("SystemConsoleNull") // JDK 17; a later one would draw the bar into a file too
  public static Progress start(String task, long steps) {
    return start(task, steps, System.console() != null, System.err);
  }

  static Progress start(String task, long steps, boolean terminal, PrintStream out) {
    if (!terminal) {
      out.println(task + (steps < 0 ? " ..." : " (" + steps + " steps) ..."));
      return new Progress(Optional.empty());
    }
    return new Progress(
        Optional.of(
            new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(REDRAW_MILLIS)
                .setConsumer(new ConsoleProgressBarConsumer(out))
                .build()));
  }

  /** Counts one step. */
  public void step() {
    bar.ifPresent(ProgressBar::step);
  }

  /** Counts one step and shows {@code message} behind the bar. */
  public void step(String message) {
    bar.ifPresent(shown -> shown.step().setExtraMessage(message));
  }

  @Override
  public void close() {
    bar.ifPresent(ProgressBar::close);
  }
}
