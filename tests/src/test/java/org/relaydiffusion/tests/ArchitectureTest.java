// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static com.tngtech.archunit.core.domain.JavaModifier.PUBLIC;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.PrintWriter;
import java.util.Set;
import java.util.stream.Stream;
import org.relaydiffusion.RdmException;

/** The shape of the house: which module may use which, and what stays in its corner. */
@AnalyzeClasses(
    packages = "org.relaydiffusion",
    importOptions = ArchitectureTest.OnlyTheProductsClasses.class)
class ArchitectureTest {
  private static final String ROOT = "org.relaydiffusion";

  /** No tests, and nothing of this module: benchmarks may look at everything. */
  static final class OnlyTheProductsClasses implements ImportOption {
    @Override
    public boolean includes(Location location) {
      return new ImportOption.DoNotIncludeTests().includes(location)
          && !location.contains("/org/relaydiffusion/tests/")
          && !location.contains("-tests.jar");
    }
  }

  @ArchTest
  static final ArchRule MODULES_DEPEND_DOWNWARDS_ONLY =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage(ROOT + "..")
          .layer("native-config")
          .definedBy(ROOT, ROOT + ".io..", ROOT + ".nativeconfig..")
          .layer("bindings")
          .definedBy(ROOT + ".torch..")
          .layer("rdm-model")
          .definedBy(ROOT + ".model..")
          .layer("checkpoints-convert")
          .definedBy(ROOT + ".checkpoint..")
          .layer("rdm-diffusion")
          .definedBy(ROOT + ".diffusion..")
          .optionalLayer("rdm-metrics")
          .definedBy(ROOT + ".metrics..")
          .optionalLayer("rdm-launch")
          .definedBy(ROOT + ".launch..")
          .whereLayer("rdm-launch")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("rdm-metrics")
          .mayOnlyBeAccessedByLayers("rdm-launch")
          .whereLayer("rdm-diffusion")
          .mayOnlyBeAccessedByLayers("rdm-metrics", "rdm-launch")
          .whereLayer("checkpoints-convert")
          .mayOnlyBeAccessedByLayers("rdm-diffusion", "rdm-metrics", "rdm-launch")
          .whereLayer("rdm-model")
          .mayOnlyBeAccessedByLayers(
              "checkpoints-convert", "rdm-diffusion", "rdm-metrics", "rdm-launch")
          .whereLayer("bindings")
          .mayOnlyBeAccessedByLayers(
              "rdm-model", "checkpoints-convert", "rdm-diffusion", "rdm-metrics", "rdm-launch")
          .ensureAllClassesAreContainedInArchitecture();

  @ArchTest
  static final ArchRule PACKAGES_OF_A_MODULE_HAVE_NO_CYCLES =
      slices()
          .matching(ROOT + ".(*).(**)")
          .should()
          .beFreeOfCycles()
          .because("a cycle between packages means that they are one package");

  @ArchTest
  static final ArchRule NOTHING_OF_THE_COMMAND_KNOWS_ITS_ROOT =
      noClasses()
          .that()
          .resideInAPackage(ROOT + ".launch.*")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(ROOT + ".launch")
          .because("the root package starts all commands: with the rule above it has no cycle");

  /** Of {@code Files}, what opens a file to read it; the others are whole classes. */
  private static final Set<String> READERS =
      Set.of(
          "newInputStream",
          "newByteChannel",
          "newBufferedReader",
          "readAllBytes",
          "readAllLines",
          "readString",
          "lines");

  private static final Set<String> OPENED_BY_CONSTRUCTORS =
      Set.of(
          "java.io.FileInputStream",
          "java.io.FileReader",
          "java.io.RandomAccessFile",
          "java.util.zip.ZipFile",
          "java.util.Scanner");

  /** There, pipes and devices are refused before they are opened. */
  @ArchTest
  static final ArchRule FILES_ARE_OPENED_FOR_READING_IN_ONE_PLACE =
      noClasses()
          .that()
          // The exception reads what the kernel says of the process and the processor.
          .resideOutsideOfPackages(ROOT + ".io..", ROOT + ".nativeconfig..", ROOT + ".tests..")
          .should()
          .callCodeUnitWhere(
              DescribedPredicate.describe(
                  "opens a file for reading",
                  call -> {
                    String owner = call.getTargetOwner().getFullName();
                    String name = call.getTarget().getName();
                    return (owner.equals("java.nio.file.Files") && READERS.contains(name))
                        || (name.equals("<init>") && OPENED_BY_CONSTRUCTORS.contains(owner));
                  }))
          .because("org.relaydiffusion.io refuses pipes and devices before they are opened");

  /** Two readers of one format would have different rules for what is odd. */
  @ArchTest
  static final ArchRule ZIPS_ARE_READ_IN_ONE_PLACE =
      noClasses()
          .should()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.util.zip.ZipFile")
          .orShould()
          .dependOnClassesThat()
          .haveFullyQualifiedName("java.util.zip.ZipInputStream")
          .because("org.relaydiffusion.io.zip is the one reader of zips");

  @ArchTest
  static final ArchRule JAVACPP_STAYS_IN_ITS_CORNERS =
      noClasses()
          .that()
          .resideOutsideOfPackages(ROOT + ".nativeconfig..", ROOT + ".torch.cpp..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.bytedeco..");

  @ArchTest
  static final ArchRule ONLY_THE_BINDINGS_CALL_NATIVE_FUNCTIONS =
      noClasses()
          .that()
          .resideOutsideOfPackages(ROOT + ".nativeconfig..", ROOT + ".torch..")
          .should()
          .dependOnClassesThat(
              DescribedPredicate.describe(
                  "call native functions or make memory of addresses",
                  c ->
                      Set.of("Linker", "SymbolLookup", "FunctionDescriptor")
                              .contains(c.getSimpleName())
                          && c.getPackageName().equals("java.lang.foreign")))
          .orShould()
          .callMethodWhere(
              DescribedPredicate.describe(
                  "restricted methods of MemorySegment",
                  call ->
                      call.getTargetOwner().getName().equals("java.lang.foreign.MemorySegment")
                          && call.getName().equals("reinterpret")));

  // Byte ranges of files are MemorySegments: in these packages, which read files, and nowhere else
  // above the bindings.
  @ArchTest
  static final ArchRule NATIVE_MEMORY_IS_SEEN_ONLY_WHERE_FILES_ARE_READ =
      noClasses()
          .that()
          .resideOutsideOfPackages(
              ROOT + ".nativeconfig..",
              ROOT + ".io..",
              ROOT + ".torch..",
              ROOT + ".model.safetensors..",
              ROOT + ".checkpoint..",
              ROOT + ".diffusion.data..",
              ROOT + ".diffusion.image..",
              ROOT + ".metrics.npy..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("java.lang.foreign..");

  @ArchTest
  static final ArchRule THE_RAW_C_ABI_SHOWS_IN_NO_PUBLIC_SIGNATURE =
      classes()
          .that()
          .resideInAPackage(ROOT + "..")
          .and()
          .resideOutsideOfPackages(ROOT + ".torch.ffi..", ROOT + ".torch.cpp..")
          .and(
              DescribedPredicate.describe(
                  "are public, as is what they are in", ArchitectureTest::isSeen))
          .should(showNo(ROOT + ".torch.ffi", ROOT + ".torch.cpp"));

  @ArchTest
  static final ArchRule WHAT_CHECKPOINTS_ARE_READ_WITH_SHOWS_IN_NO_PUBLIC_SIGNATURE =
      classes()
          .that()
          .resideInAPackage(ROOT + ".checkpoint")
          .and()
          .haveModifier(PUBLIC)
          .should(showNo(ROOT + ".checkpoint.archive", ROOT + ".checkpoint.pickle"));

  @ArchTest
  static final ArchRule EXCEPTIONS_ARE_OF_ONE_TREE =
      classes()
          .that()
          .areAssignableTo(RuntimeException.class)
          .and()
          .haveModifier(PUBLIC)
          .and()
          .resideOutsideOfPackage(ROOT + ".checkpoint.pickle..")
          .should()
          .beAssignableTo(RdmException.class);

  @ArchTest
  static final ArchRule NOTHING_PRINTS_BUT_THE_COMMAND =
      noClasses()
          .that()
          .resideOutsideOfPackage(ROOT + ".launch..")
          .should()
          .accessField(System.class, "out")
          .orShould()
          .accessField(System.class, "err");

  /**
   * Whatever a line quotes, it is made printable on its way: by {@code Console}, {@code Screen} and
   * {@code StatusLine}. The completion script quotes nothing.
   */
  @ArchTest
  static final ArchRule LINES_ARE_PRINTED_WHERE_THEY_ARE_MADE_PRINTABLE =
      noClasses()
          .that(
              DescribedPredicate.describe(
                  "are not Console, Screen, StatusLine or CompletionCommand",
                  c ->
                      !Set.of("Console", "Screen", "StatusLine", "CompletionCommand")
                          .contains(c.getSimpleName())))
          .should()
          .callMethodWhere(
              DescribedPredicate.describe(
                  "print with a PrintWriter",
                  call ->
                      call.getTargetOwner().isAssignableTo(PrintWriter.class)
                          && call.getName().startsWith("print")));

  @ArchTest
  static void importedClassesAreThere(JavaClasses classes) {
    assertThat(classes.contain(RdmException.class)).isTrue();
    assertThat(classes.size()).isGreaterThan(150);
  }

  /** What stands in an interface is public of itself; that counts where the interface is. */
  private static boolean isSeen(JavaClass type) {
    return type.getModifiers().contains(JavaModifier.PUBLIC)
        && type.getEnclosingClass().map(ArchitectureTest::isSeen).orElse(true);
  }

  private static ArchCondition<JavaClass> showNo(String... packages) {
    return new ArchCondition<>("show no type of " + String.join(", ", packages)) {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        for (JavaCodeUnit unit : type.getCodeUnits()) {
          if (unit.getModifiers().contains(JavaModifier.PUBLIC)) {
            Stream.concat(Stream.of(unit.getRawReturnType()), unit.getRawParameterTypes().stream())
                .map(JavaClass::getBaseComponentType)
                .filter(c -> Set.of(packages).contains(c.getPackageName()))
                .forEach(c ->
                    events.add(
                        SimpleConditionEvent.violated(
                            type, unit.getFullName() + " shows " + c.getName())));
          }
        }
      }
    };
  }
}
