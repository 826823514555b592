// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.torch.OperatorSchema.Parameter;
import org.relaydiffusion.torch.cpp.RegisteredSchemas;

/** Schemas: the notation, and that ours are those of the bundled LibTorch. */
class OperatorSchemaTest {
  @Test
  void aSchemaIsRead() {
    OperatorSchema schema =
        OperatorSchema.parse(
            "aten::x.over(Tensor(a!) self, Tensor? b=None, int[2] stride=1, SymInt[]? s=None, *, "
                + "Tensor?[] list, float eps=1e-05, bool[3] mask=[True, False, True], "
                + "str mode=\"fan, in\", ScalarType? dtype=long) -> (Tensor(a!), Tensor[], int n)");
    assertThat(schema.qualifiedName()).isEqualTo("aten::x.over");
    assertThat(schema.parameters().stream().map(p -> p.type() + " " + p.name()))
        .containsExactly(
            "Tensor self",
            "Tensor? b",
            "int[2] stride",
            "SymInt[]? s",
            "Tensor?[] list",
            "float eps",
            "bool[3] mask",
            "str mode",
            "ScalarType? dtype");
    assertThat(schema.parameters().stream().filter(Parameter::written).map(Parameter::name))
        .containsExactly("self");
    assertThat(schema.parameters().stream().filter(Parameter::keywordOnly).map(Parameter::name))
        .containsExactly("list", "eps", "mask", "mode", "dtype");
    assertThat(schema.parameters().stream().filter(Parameter::isRequired).map(Parameter::name))
        .containsExactly("self", "list");
    assertThat(preset(schema, "stride")).isEqualTo(new long[] {1, 1});
    assertThat(preset(schema, "eps")).isEqualTo(1e-5);
    assertThat(preset(schema, "mask")).isEqualTo(new boolean[] {true, false, true});
    assertThat(preset(schema, "mode")).isEqualTo("fan, in");
    assertThat(preset(schema, "dtype")).isEqualTo(4L);
    assertThat(preset(schema, "b")).isNull();
    assertThat(schema.results().stream().map(r -> r.type().toString()))
        .containsExactly("Tensor", "Tensor[]", "int");
    assertThat(schema.results().getFirst().written()).isTrue();
  }

  private static @Nullable Object preset(OperatorSchema schema, String name) {
    return schema.parameters().get(schema.indexOf(name)).preset().orElseThrow().value();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "erf",
        "aten::erf",
        "aten::erf(",
        "aten::erf(Tensor self",
        "aten::erf(Tensor self)",
        "aten::erf(Tensor self) ->",
        "aten::erf(Tensor self) -> Tensor x y",
        "aten::erf(Tensor self, Tensor self) -> Tensor",
        "aten::erf(Tensor[99999999999] self) -> Tensor",
        "aten::erf(Tensor[-1] self) -> Tensor",
        "aten::erf(int n=99999999999999999999) -> Tensor",
        "aten::erf(int n=x) -> Tensor",
        "aten::erf(str s=\"x) -> Tensor",
        "aten::erf(Tensor(a self) -> Tensor",
        "aten::format(str self, ...) -> str",
        "aten::erf(Tensor self, *, *) -> Tensor",
      })
  void whatIsNoSchemaIsRefusedWithItsPlace(String text) {
    assertThatThrownBy(() -> Operator.of(text))
        .isInstanceOf(TorchException.class)
        .hasMessageContaining("character ")
        .hasMessageContaining(" expected");
  }

  @Test
  void everySchemaOfLibTorchIsRead() {
    List<String> unread = new ArrayList<>();
    for (String text : RegisteredSchemas.all()) {
      try {
        assertThat(OperatorSchema.parse(text).qualifiedName())
            .isEqualTo(text.substring(0, text.indexOf('(')));
      } catch (TorchException e) {
        if (!isOfTorchScript(text)) {
          unread.add(e.getMessage());
        }
      }
    }
    assertThat(unread).isEmpty();
  }

  @Test
  void theSchemasOfThisLibraryAreThoseOfLibTorch() throws Exception {
    Map<String, OperatorSchema> registered = registered();
    List<Operator> ours = OurOperators.all();
    assertThat(ours).hasSizeGreaterThan(90);
    for (Operator operator : ours) {
      assertThat(withoutText(operator.schema()))
          .as(operator.toString())
          .isEqualTo(withoutText(requireNonNull(registered.get(operator.toString()))));
    }
  }

  /** All that counts, in words: arrays among the defaults do not compare, names of aliases vary. */
  private static String withoutText(OperatorSchema schema) {
    return schema.parameters().stream()
            .map(p ->
                "%s %s %s %s %s"
                    .formatted(
                        p.type(),
                        p.name(),
                        p.written(),
                        p.keywordOnly(),
                        p.preset().map(d -> OurOperators.text(d.value())).orElse("required")))
            .collect(Collectors.joining(", "))
        + " -> "
        + schema.results().stream().map(r -> r.type() + " " + r.written()).toList();
  }

  @Test
  void aScalarIsRefusedWithTheOverloadToUse() {
    assertThatThrownBy(() -> Operator.named("aten::mul.Scalar"))
        .isInstanceOf(TorchException.class)
        .hasMessage(
            "aten::mul.Scalar cannot be called: its other is a Scalar, which LibTorch's C ABI does"
                + " not carry; aten::mul.Tensor takes a tensor instead");
    assertThatThrownBy(() -> Operator.named("aten::add.Tensor"))
        .hasMessageContaining("its alpha is a Scalar")
        .hasMessageEndingWith("use Pointwise.add or addScaled");
  }

  /** To make the table anew, copy what this test expects. */
  @Test
  void theTableOfTensorOverloadsIsLibTorchs() {
    StringBuilder table = new StringBuilder();
    overloads().forEach((scalar, tensor) -> table.append(scalar + "=" + tensor + "\n"));
    StringBuilder actual = new StringBuilder();
    overloads()
        .keySet()
        .forEach(scalar -> actual.append(scalar + "=" + tensorOverload(scalar) + "\n"));
    assertThat(overloads()).hasSizeGreaterThan(100);
    assertThat(actual.toString()).isEqualTo(table.toString());
    assertThat(TensorOverloads.of("aten::no.Such")).isEmpty();
  }

  private static String tensorOverload(String scalar) {
    return TensorOverloads.of("aten::" + scalar).replace("aten::", "");
  }

  /** Overloads that differ in nothing but that a tensor stands for each scalar. */
  private static Map<String, String> overloads() {
    List<OperatorSchema> all =
        registered().values().stream().filter(s -> s.name().startsWith("aten::")).toList();
    Map<String, List<OperatorSchema>> byName =
        all.stream().collect(Collectors.groupingBy(OperatorSchema::name));
    Map<String, String> overloads = new TreeMap<>();
    for (OperatorSchema s : all) {
      if (s.parameters().stream().anyMatch(p -> p.type().kind() == SchemaType.Kind.SCALAR)) {
        requireNonNull(byName.get(s.name())).stream()
            .filter(o -> takesTensorsFor(s, o))
            .findFirst()
            .ifPresent(o ->
                overloads.put(
                    s.qualifiedName().replace("aten::", ""),
                    o.qualifiedName().replace("aten::", "")));
      }
    }
    return overloads;
  }

  private static boolean takesTensorsFor(OperatorSchema scalar, OperatorSchema tensor) {
    if (scalar.parameters().size() != tensor.parameters().size()) {
      return false;
    }
    for (int i = 0; i < scalar.parameters().size(); i++) {
      SchemaType a = scalar.parameters().get(i).type();
      SchemaType b = tensor.parameters().get(i).type();
      boolean stands =
          a.kind() == SchemaType.Kind.SCALAR
              ? b.kind() == SchemaType.Kind.TENSOR && a.list() == b.list()
              : a.isPassedAs(b);
      if (!stands) {
        return false;
      }
    }
    return true;
  }

  /** Those with any number of arguments, or two of a name, are not the dispatcher's. */
  private static boolean isOfTorchScript(String text) {
    return text.contains("...") || text.startsWith("static_runtime::");
  }

  private static Map<String, OperatorSchema> registered() {
    return RegisteredSchemas.all().stream()
        .filter(text -> !isOfTorchScript(text))
        .map(OperatorSchema::parse)
        .collect(Collectors.toMap(OperatorSchema::qualifiedName, Function.identity(), (a, _) -> a));
  }
}
