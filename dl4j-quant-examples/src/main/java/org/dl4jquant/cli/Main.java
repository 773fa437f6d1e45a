package org.dl4jquant.cli;

import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.dl4jquant.convert.Provenance;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The command line; {@code --help} tells what there is. */
@Command(
    name = "dl4j-quant",
    description = "Quantizes Deeplearning4j networks.",
    version = Provenance.LIBRARY,
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    sortOptions = false,
    usageHelpAutoWidth = true,
    subcommands = {
      InspectCommand.class,
      QuantizeCommand.class,
      EvaluateCommand.class,
      ExportCommand.class,
      VerifyCommand.class,
      BenchmarkCommand.class
    })
public final class Main implements Callable<Integer> {
  private static final String FAILED = "dl4j-quant: ";

  @Spec private CommandSpec spec;

  @Option(
      names = "--verbose",
      scope = ScopeType.INHERIT,
      description = "Print the stack trace of an error.")
  private boolean verbose;

  @SuppressWarnings("NullAway.Init") // picocli sets the fields
  private Main() {}

  /** Runs a command and exits with 0, with 1 if it failed and with 2 if it was called wrongly. */
  public static void main(String[] arguments) {
    PrintStream results = System.out;
    System.setOut(System.err); // whatever a library prints is no result
    PrintWriter out =
        new PrintWriter(new OutputStreamWriter(results, StandardCharsets.UTF_8), true);
    PrintWriter err =
        new PrintWriter(new OutputStreamWriter(System.err, StandardCharsets.UTF_8), true);
    int status = run(out, err, arguments);
    out.flush();
    System.exit(status);
  }

  /** Runs a command and returns its exit status. */
  static int run(PrintWriter out, PrintWriter err, String... arguments) {
    Main main = new Main();
    CommandLine commands = new CommandLine(main).setOut(out).setErr(err);
    commands.setCaseInsensitiveEnumValuesAllowed(true);
    commands.setParameterExceptionHandler(
        (e, given) -> {
          err.println(FAILED + Messages.of(e) + "; try --help");
          return commands.getCommandSpec().exitCodeOnInvalidInput();
        });
    commands.setExecutionExceptionHandler((e, command, given) -> main.failed(e, err));
    try {
      return commands.execute(arguments);
    } catch (OutOfMemoryError | LinkageError e) {
      return main.failed(e, err);
    }
  }

  private int failed(Throwable e, PrintWriter err) {
    err.println(FAILED + Messages.forUser(e));
    if (verbose) {
      e.printStackTrace(err);
    }
    return spec.exitCodeOnExecutionException();
  }

  @Override
  public Integer call() {
    throw new ParameterException(
        spec.commandLine(),
        "a command is needed: inspect, quantize, evaluate, export, verify or benchmark");
  }
}
