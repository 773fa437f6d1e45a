package org.dl4jquant.terminal;

import java.io.PrintStream;
import java.util.Optional;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * How far a task is: a bar that moves if the process is attached to a terminal, else one line when
 * it starts and one for each quarter of a task of at least four steps. Both go to the error stream,
 * so that the output stays clean for pipes. Not thread-safe.
 */
public final class Progress implements AutoCloseable {
  private static final int REDRAW_MILLIS = 200;

  private static final int QUARTERS = 4;

  private final Optional<ProgressBar> bar;
  private final String task;
  private final long steps;
  private final PrintStream out;
  private long done;

  private Progress(Optional<ProgressBar> bar, String task, long steps, PrintStream out) {
    this.bar = bar;
    this.task = task;
    this.steps = steps;
    this.out = out;
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
      return new Progress(Optional.empty(), task, steps, out);
    }
    return new Progress(
        Optional.of(
            new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(REDRAW_MILLIS)
                .setConsumer(new ConsoleProgressBarConsumer(out))
                .build()),
        task,
        steps,
        out);
  }

  /** Counts one step. */
  public void step() {
    step("");
  }

  /** Counts one step, but none beyond the last, and shows {@code message} behind the bar. */
  public void step(String message) {
    if (done == steps) {
      return;
    }
    done++;
    if (bar.isPresent()) {
      bar.get().step().setExtraMessage(message);
    } else if (steps >= QUARTERS && done * QUARTERS / steps > (done - 1) * QUARTERS / steps) {
      String detail = message.isEmpty() ? "" : ", " + message;
      out.println(task + ": " + done + " of " + steps + detail);
    }
  }

  @Override
  public void close() {
    bar.ifPresent(ProgressBar::close);
  }
}
