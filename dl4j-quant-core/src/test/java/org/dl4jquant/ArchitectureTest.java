package org.dl4jquant;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.Architectures;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dl4jquant.internal.Checks;
import org.junit.jupiter.api.Test;

/**
 * The arrows between the packages of core, as docs/architecture.md draws them.
 *
 * <p>Enforced: each package imports only those listed for it in {@link #ARROWS}, the arrows
 * themselves have no way back, and no package reaches itself through others; the packages of {@link
 * #PURE} import neither ND4J nor DL4J; nothing imports the façade in the root package; nothing uses
 * Java serialization or prints to the console. A package that is not listed fails, so that nobody
 * adds one without saying where it stands.
 */
final class ArchitectureTest {
  private static final String ROOT = "org.dl4jquant";

  private static final Set<String> PURE =
      Set.of("internal", "format", "stats", "strategy", "tensor", "graph", "execute", "update");

  /** What each package may import, bottom to top. */
  private static final Map<String, Set<String>> ARROWS = arrows();

  private static final JavaClasses CORE =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS)
          .importPackages(ROOT);

  /** Test classes that break every rule, to show that the rules can fail. */
  private static final JavaClasses PLANTED =
      new ClassFileImporter()
          .importClasses(
              PlantedRoot.class,
              org.dl4jquant.format.planted.Offender.class,
              org.dl4jquant.tensor.planted.Accomplice.class,
              org.dl4jquant.unlisted.Stranger.class);

  private static Map<String, Set<String>> arrows() {
    Map<String, Set<String>> arrows = new LinkedHashMap<>();
    arrows.put("internal", Set.of());
    arrows.put("format", Set.of("internal"));
    arrows.put("stats", Set.of("internal", "format"));
    arrows.put("strategy", Set.of("internal", "format", "stats"));
    arrows.put("update", Set.of("internal", "format"));
    arrows.put("tensor", Set.of("internal", "format"));
    arrows.put("graph", Set.of("internal", "format", "tensor"));
    arrows.put("execute", Set.of("internal", "format", "tensor", "graph"));
    arrows.put("onnx", Set.of("internal", "format", "tensor", "graph", "execute"));
    arrows.put("dl4j", Set.of("internal", "format", "tensor", "graph"));
    arrows.put(
        "onnxruntime", Set.of("internal", "format", "tensor", "graph", "execute", "dl4j", "onnx"));
    arrows.put("onnxlayers", Set.of("internal", "format", "tensor", "graph", "dl4j", "onnx"));
    arrows.put(
        "calibrate", Set.of("internal", "format", "tensor", "graph", "execute", "stats", "dl4j"));
    arrows.put("precision", Set.of("internal", "format", "tensor", "graph", "stats"));
    addAboveAll(arrows, "convert");
    addAboveAll(arrows, "export");
    arrows.put("report", without(arrows.keySet(), "export"));
    return arrows;
  }

  private static void addAboveAll(Map<String, Set<String>> arrows, String name) {
    arrows.put(name, Set.copyOf(arrows.keySet()));
  }

  private static Set<String> without(Set<String> names, String excluded) {
    return Set.copyOf(names.stream().filter(name -> !name.equals(excluded)).toList());
  }

  private static ArchRule arrowsAreKept() {
    LayeredArchitecture layers =
        Architectures.layeredArchitecture().consideringOnlyDependenciesInLayers();
    for (String name : ARROWS.keySet()) {
      layers = layers.optionalLayer(name).definedBy(ROOT + "." + name + "..");
    }
    for (Map.Entry<String, Set<String>> arrow : ARROWS.entrySet()) {
      layers =
          arrow.getValue().isEmpty()
              ? layers.whereLayer(arrow.getKey()).mayNotAccessAnyLayer()
              : layers
                  .whereLayer(arrow.getKey())
                  .mayOnlyAccessLayers(arrow.getValue().toArray(String[]::new));
    }
    return layers;
  }

  private static ArchRule pureCodeKnowsNoArrayLibrary() {
    return noClasses()
        .that()
        .resideInAnyPackage(
            PURE.stream().map(name -> ROOT + "." + name + "..").toArray(String[]::new))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.nd4j..", "org.deeplearning4j..", "org.bytedeco..");
  }

  private static ArchRule noCycles() {
    return slices().matching(ROOT + ".(*)..").should().beFreeOfCycles();
  }

  private static ArchRule rootIsNotImported() {
    return noClasses()
        .that(resideOutsideOfPackage(ROOT))
        .should()
        .dependOnClassesThat(resideInAPackage(ROOT));
  }

  private static ArchRule noJavaSerialization() {
    return noClasses()
        .should()
        .dependOnClassesThat()
        .haveNameMatching("java\\.io\\.Object(In|Out)putStream");
  }

  private static ArchRule noConsole() {
    return noClasses()
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .orShould()
        .callMethod(Throwable.class, "printStackTrace");
  }

  private static List<String> packagesWithoutArrows(JavaClasses classes) {
    return classes.stream()
        .map(type -> type.getPackageName().substring(ROOT.length()))
        .filter(rest -> !rest.isEmpty())
        .map(rest -> rest.substring(1).split("\\.", 2)[0])
        .distinct()
        .filter(name -> !ARROWS.containsKey(name))
        .toList();
  }

  @Test
  void packagesImportOnlyWhatTheirArrowsAllow() {
    arrowsAreKept().check(CORE);
  }

  @Test
  void theArrowsGoUpwardsOnly() {
    List<String> below = new ArrayList<>();
    ARROWS.forEach(
        (name, imports) -> {
          assertTrue(below.containsAll(imports), name + " imports something above it: " + imports);
          below.add(name);
        });
  }

  @Test
  void everyPackageHasItsPlace() {
    assertEquals(List.of(), packagesWithoutArrows(CORE));
  }

  @Test
  void theLowerHalfKnowsNeitherNd4jNorDeeplearning4j() {
    pureCodeKnowsNoArrayLibrary().check(CORE);
  }

  @Test
  void packagesHaveNoCycles() {
    noCycles().check(CORE);
  }

  @Test
  void nothingImportsTheRootPackage() {
    rootIsNotImported().check(CORE);
  }

  @Test
  void nothingUsesJavaSerialization() {
    noJavaSerialization().check(CORE);
  }

  @Test
  void nothingPrintsToTheConsole() {
    noConsole().check(CORE);
  }

  @Test
  void theRulesSeeTheClasses() {
    assertTrue(CORE.contain(Checks.class), "nothing was imported");
  }

  @Test
  void everyRuleFailsOnAClassThatBreaksIt() {
    assertFailsOnPlanted(arrowsAreKept(), "org.dl4jquant.format.planted.Offender");
    assertFailsOnPlanted(pureCodeKnowsNoArrayLibrary(), "org.nd4j.linalg.api.ndarray.INDArray");
    assertFailsOnPlanted(noCycles(), "Cycle detected");
    assertFailsOnPlanted(rootIsNotImported(), "org.dl4jquant.PlantedRoot");
    assertFailsOnPlanted(noJavaSerialization(), "java.io.ObjectOutputStream");
    assertFailsOnPlanted(noConsole(), "java.lang.System.out");
    assertEquals(List.of("unlisted"), packagesWithoutArrows(PLANTED));
  }

  private static void assertFailsOnPlanted(ArchRule rule, String named) {
    String report =
        assertThrows(AssertionError.class, () -> rule.check(PLANTED), named).getMessage();
    assertTrue(report.contains(named), report);
  }
}
