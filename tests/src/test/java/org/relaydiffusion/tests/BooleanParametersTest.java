// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * No boolean traps in what users of the library call: {@code new Store(host, true, false)} says
 * nothing to its reader. The rule for public methods and constructors, those of records too:
 *
 * <ul>
 *   <li>A boolean is no argument among others: an enum names what is chosen ({@code KeepDim.YES}).
 *   <li>A boolean alone is the value of a property, whose getter has the method's name ({@code
 *       requiresGrad(true)}, as PyTorch has it, beside {@code requiresGrad()}), or of an operator's
 *       argument, which the schema names ({@code OperatorCall.arg}).
 *   <li>What switches between two ways is two methods ({@code train()} and {@code eval()}).
 * </ul>
 */
class BooleanParametersTest {
  private static final String ROOT = "org.relaydiffusion.";

  /** What users call; below ffi and cpp is the inside of the bindings. */
  private static final List<String> PACKAGES = List.of(ROOT + "torch", ROOT + "model");

  private static final Set<String> INSIDE = Set.of(ROOT + "torch.ffi", ROOT + "torch.cpp");

  /** Values, not choices. */
  private static final Set<String> VALUES = Set.of(ROOT + "torch.OperatorCall.arg");

  /** What users read but do not make: the parser of schemas makes these. */
  private static final Set<String> FOUND =
      Set.of(
          ROOT + "torch.OperatorSchema$Parameter",
          ROOT + "torch.OperatorSchema$Result",
          ROOT + "torch.SchemaType");

  /** Layers that only this project's own networks make, from the keywords of a checkpoint. */
  private static final Set<String> OF_CHECKPOINTS =
      Set.of(ROOT + "model.layer.Conv2d$Config", ROOT + "model.layer.UNetBlock$Config");

  @Test
  void noPublicMethodHasABooleanAmongItsArguments() {
    JavaClasses classes =
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages(PACKAGES);
    assertThat(classes.size()).isGreaterThan(120);
    assertThat(
            classes.stream()
                .filter(c -> !INSIDE.contains(c.getPackageName()))
                .filter(c -> !FOUND.contains(c.getName()) && !OF_CHECKPOINTS.contains(c.getName()))
                .filter(BooleanParametersTest::isSeen)
                .flatMap(c -> c.getCodeUnits().stream())
                .filter(BooleanParametersTest::isTrap)
                .map(JavaCodeUnit::getFullName))
        .isEmpty();
  }

  /** Shapes of the rule. */
  static final class Examples {
    public Examples(int size, boolean server) {}

    public void train(boolean on) {}

    public boolean wanted() {
      return true;
    }

    public void wanted(boolean wanted) {}

    public void truths(boolean[] truths, int from) {}
  }

  /** A property whose setter alone is overridden. */
  static class Derived extends Base {
    @Override
    public void wanted(boolean wanted) {}
  }

  /** Has the property. */
  static class Base {
    public boolean wanted() {
      return true;
    }

    public void wanted(boolean wanted) {}
  }

  @Test
  void theRuleTellsTrapsFromProperties() {
    JavaClass examples = new ClassFileImporter().importClass(Examples.class);
    assertThat(examples.getCodeUnits().stream().filter(BooleanParametersTest::isTrap))
        .extracting(JavaCodeUnit::getName)
        .containsExactlyInAnyOrder("<init>", "train");
    JavaClass derived =
        new ClassFileImporter().importClasses(Derived.class, Base.class).get(Derived.class);
    assertThat(derived.getCodeUnits().stream().filter(BooleanParametersTest::isTrap)).isEmpty();
  }

  private static boolean isTrap(JavaCodeUnit unit) {
    List<JavaClass> parameters = unit.getRawParameterTypes();
    return unit.getModifiers().contains(JavaModifier.PUBLIC)
        && !unit.getModifiers().contains(JavaModifier.SYNTHETIC)
        && parameters.stream().anyMatch(p -> p.getName().equals("boolean"))
        && !(parameters.size() == 1 && isProperty(unit));
  }

  private static boolean isProperty(JavaCodeUnit unit) {
    boolean hasGetter =
        unit.getOwner().getAllMethods().stream()
            .anyMatch(m ->
                m.getName().equals(unit.getName())
                    && m.getRawParameterTypes().isEmpty()
                    && m.getRawReturnType().getName().equals("boolean"));
    return hasGetter || VALUES.contains(unit.getOwner().getFullName() + "." + unit.getName());
  }

  private static boolean isSeen(JavaClass type) {
    return type.getModifiers().contains(JavaModifier.PUBLIC)
        && type.getEnclosingClass().map(BooleanParametersTest::isSeen).orElse(true);
  }
}
