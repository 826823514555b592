// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.Map;
import org.relaydiffusion.torch.OperatorSchema.Parameter;
import org.relaydiffusion.torch.OperatorSchema.Result;

/** Which operators LibTorch's C ABI can call, by the types of their arguments and results. */
final class CarriedTypes {
  /** What this library has for the operators that are looked for most, and have no overload. */
  private static final Map<String, String> INSTEAD =
      Map.of(
          "aten::add", "Pointwise.add or addScaled",
          "aten::sub", "Pointwise.sub",
          "aten::rsub", "Pointwise.sub",
          "aten::add_", "Pointwise.addInPlace",
          "aten::addcmul", "Pointwise.addcmul",
          "aten::full", "Torch.full",
          "aten::arange", "Torch.arange",
          "aten::item", "Tensor.item");

  private CarriedTypes() {}

  static void check(OperatorSchema schema) {
    if (schema.name().equals("aten::set_data")) {
      throw new TorchException(
          "aten::set_data cannot be called: the type of a tensor would change beneath its aliases;"
              + " use Tensor.copyFrom");
    }
    for (Parameter p : schema.parameters()) {
      if (!p.type().isCallable()) {
        throw new TorchException(
            "%s cannot be called: its %s is a %s, which LibTorch's C ABI does not carry%s"
                .formatted(schema.qualifiedName(), p.name(), p.type(), instead(schema, p)));
      }
    }
    for (Result r : schema.results()) {
      if (!r.type().isCarried() || r.type().kind() == SchemaType.Kind.LAYOUT) {
        throw new TorchException(
            "%s cannot be called: it returns %s, which LibTorch's C ABI does not carry%s"
                .formatted(schema.qualifiedName(), r.type(), ours(schema)));
      }
    }
  }

  private static String instead(OperatorSchema schema, Parameter p) {
    if (p.type().kind() != SchemaType.Kind.SCALAR) {
      return "";
    }
    String overload = TensorOverloads.of(schema.qualifiedName());
    return overload.isEmpty() ? ours(schema) : "; %s takes a tensor instead".formatted(overload);
  }

  private static String ours(OperatorSchema schema) {
    String ours = INSTEAD.get(schema.name());
    return ours == null ? "" : "; use " + ours;
  }
}
