package org.dl4jquant.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;

/** What a command did that ran in this process. */
record CommandRun(int status, String out, String err) {
  static CommandRun of(Object... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status =
        Main.run(
            new PrintWriter(out, true),
            new PrintWriter(err, true),
            Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
    return new CommandRun(status, out.toString(), err.toString());
  }

  /** Runs a command that must succeed. */
  static CommandRun succeed(Object... arguments) {
    CommandRun run = of(arguments);
    assertEquals(0, run.status, run.err);
    return run;
  }

  /** Runs a command that must fail, with nothing but this line. */
  static void fail(int status, String message, Object... arguments) {
    CommandRun run = of(arguments);
    assertEquals("dl4j-quant: " + message + System.lineSeparator(), run.err);
    assertEquals("", run.out);
    assertEquals(status, run.status);
  }

  List<String> outLines() {
    return out.lines().toList();
  }

  /** Returns the JSON object of the last line. */
  JsonNode json() throws IOException {
    List<String> lines = outLines();
    return new ObjectMapper().readTree(lines.get(lines.size() - 1));
  }
}
