// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Calls with operands on a device, beside operands on the CPU or not. What LibTorch does about each
 * stands in {@code device_rules.txt}, which {@link DeviceRulesMain} makes with a LibTorch that has
 * CUDA; {@link DeviceRulesTest} holds the simulated device to it.
 */
final class DeviceRuleCases {
  private static final Operator FILL =
      Operator.of("aten::fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)");
  private static final Operator MASKED_FILL =
      Operator.of("aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor");
  private static final Operator FOREACH_MUL =
      Operator.of("aten::_foreach_mul_.Tensor(Tensor(a!)[] self, Tensor other) -> ()");
  private static final Operator FOREACH_LERP =
      Operator.of(
          "aten::_foreach_lerp.List(Tensor[] self, Tensor[] tensors1, Tensor[] weights) ->"
              + " Tensor[]");
  private static final Operator FOREACH_ADDCMUL =
      Operator.of(
          "aten::_foreach_addcmul.Tensor(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, "
              + "Tensor scalars) -> Tensor[]");
  private static final Operator FOREACH_COPY =
      Operator.of(
          "aten::_foreach_copy_(Tensor(a!)[] self, Tensor[] src, bool non_blocking=False) -> ()");
  private static final Operator REMAINDER =
      Operator.of("aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator FLOOR_DIVIDE =
      Operator.of("aten::floor_divide(Tensor self, Tensor other) -> Tensor");
  private static final Operator EQUAL =
      Operator.of("aten::equal(Tensor self, Tensor other) -> bool");

  private final Map<String, Consumer<Device>> cases = new LinkedHashMap<>();

  private DeviceRuleCases() {
    pointwise();
    conditions();
    indexing();
    lists();
    layers();
    waits();
  }

  /** The cases by name; each is called in a scope and makes its operands itself. */
  static Map<String, Consumer<Device>> all() {
    return new DeviceRuleCases().cases;
  }

  private static Tensor there(Device device, long... sizes) {
    return Torch.full(1, DType.FLOAT32, device, sizes);
  }

  private static Tensor here(long... sizes) {
    return Torch.full(1, DType.FLOAT32, sizes);
  }

  private static Tensor rows(Device device) {
    return Torch.full(0, DType.INT64, device, 2);
  }

  private static Tensor mask(Device device) {
    return Torch.full(1, DType.BOOL, device, 2);
  }

  private void add(String name, Consumer<Device> call) {
    cases.put(name, call);
  }

  private interface Binary {
    Tensor apply(Tensor a, Tensor b);
  }

  private void binary(String name, Binary operator) {
    add(name + " device, device", d -> operator.apply(there(d, 2), there(d, 2)));
    add(name + " device, number", d -> operator.apply(there(d, 2), here()));
    add(name + " number, device", d -> operator.apply(here(), there(d, 2)));
    add(name + " device, cpu", d -> operator.apply(there(d, 2), here(2)));
    add(name + " device, cpu of one element", d -> operator.apply(there(d, 2), here(1)));
  }

  private void pointwise() {
    binary("add", Pointwise::add);
    binary("sub", Pointwise::sub);
    binary("mul", Pointwise::mul);
    binary("mul_", Pointwise::mulInPlace);
    binary("div", Pointwise::div);
    binary("pow", Pointwise::pow);
    binary("eq", Comparison::eq);
    binary("ne", Comparison::ne);
    binary("lt", Comparison::lt);
    binary("le", Comparison::le);
    binary("gt", Comparison::gt);
    binary("ge", Comparison::ge);
    binary("logical_and", Comparison::logicalAnd);
    binary("logical_or", Comparison::logicalOr);
    binary("maximum", Pointwise::maximum);
    binary("minimum", Pointwise::minimum);
    binary("remainder", REMAINDER::apply);
    binary("floor_divide", FLOOR_DIVIDE::apply);
    binary("clamp max", (a, b) -> Pointwise.clamp(a, null, b));
    binary("copy_", Tensor::copyFrom);
    binary("addInPlace", Pointwise::addInPlace);
    add("add of integers", d -> rows(d).add(rows(d)));
    add("add of a float", d -> there(d, 2).add(3));
    add("pow of a float", d -> there(d, 2).pow(1.5));
    add("clamp of floats", d -> Pointwise.clamp(there(d, 2), -1, 1));
    add("to.dtype", d -> there(d, 2).to(DType.FLOAT64));
    add("full", d -> there(d, 2));
    add("fill_ of a number of the device", d -> FILL.apply(there(d, 2), there(d)));
    add("fill_ of the cpu with a number of the device", d -> FILL.apply(here(2), there(d)));
  }

  private void conditions() {
    add("where", d -> Pointwise.where(mask(d), there(d, 2), there(d, 2)));
    add("where, number", d -> Pointwise.where(mask(d), here(), there(d, 2)));
    add("where, cpu", d -> Pointwise.where(mask(d), here(2), there(d, 2)));
    add("where, cpu's mask", d -> Pointwise.where(mask(Device.CPU), there(d, 2), there(d, 2)));
    add("masked_fill", d -> Shapes.maskedFill(there(d, 2), mask(d), 3));
    add(
        "masked_fill of a number of the device",
        d -> MASKED_FILL.call().arg(there(d, 2)).arg(mask(d)).arg(there(d)).tensor());
    add("masked_fill, cpu's mask", d -> Shapes.maskedFill(there(d, 2), mask(Device.CPU), 3));
  }

  private void indexing() {
    add("index_select", d -> Shapes.indexSelect(there(d, 2), 0, rows(d)));
    add("index_select, cpu", d -> Shapes.indexSelect(there(d, 2), 0, rows(Device.CPU)));
    add("gather, cpu", d -> Shapes.gather(there(d, 2), 0, rows(Device.CPU)));
    add("index", d -> there(d, 2).index(Index.of(rows(d))));
    add("index, cpu", d -> there(d, 2).index(Index.of(rows(Device.CPU))));
    add("index of the cpu", d -> here(2).index(Index.of(rows(d))));
    add("index, mask", d -> there(d, 2).index(Index.of(mask(d))));
    add("scatter, cpu", d -> Shapes.scatter(there(d, 2), 0, rows(d), here(2)));
    add("embedding", d -> Functional.embedding(there(d, 3, 2), rows(d)));
    add("embedding, cpu", d -> Functional.embedding(there(d, 3, 2), rows(Device.CPU)));
    add("one_hot", d -> Functional.oneHot(rows(d), 3));
    add("cat, cpu", d -> Shapes.cat(List.of(there(d, 2), here(2)), 0));
    add("stack, cpu", d -> Torch.stack(List.of(there(d, 2), here(2)), 0));
  }

  private void lists() {
    add("foreach mul_", d -> FOREACH_MUL.call().arg(List.of(there(d, 2))).arg(there(d)).run());
    add(
        "foreach mul_, number",
        d -> FOREACH_MUL.call().arg(List.of(there(d, 2))).arg(here()).run());
    add(
        "foreach lerp, number",
        d ->
            FOREACH_LERP
                .call()
                .arg(List.of(there(d, 2)))
                .arg(List.of(there(d, 2)))
                .arg(List.of(here()))
                .tensorList());
    add("foreach addcmul", d -> addcmul(there(d, 2), here(1).to(DType.FLOAT64)));
    add("foreach addcmul, factors of the device", d -> addcmul(there(d, 2), there(d, 1)));
    add("foreach addcmul, cpu", d -> addcmul(here(2), d));
    add("foreach copy_", d -> copies(List.of(there(d, 2)), List.of(there(d, 2))));
    add("foreach copy_, from cpu", d -> copies(List.of(there(d, 2)), List.of(here(2))));
    add("foreach copy_, to cpu", d -> copies(List.of(here(2)), List.of(there(d, 2))));
    add(
        "foreach lerp in place",
        d -> Foreach.lerpInPlace(List.of(there(d, 2)), List.of(there(d, 2)), 0.3));
    add("foreach mul in place", d -> Foreach.mulInPlace(List.of(there(d, 2)), 0.3));
  }

  private static void addcmul(Tensor x, Tensor factors) {
    List<Tensor> _ =
        FOREACH_ADDCMUL
            .call()
            .arg(List.of(x))
            .arg(List.of(x))
            .arg(List.of(x))
            .arg(factors)
            .tensorList();
  }

  private static void addcmul(Tensor second, Device device) {
    Tensor x = there(device, 2);
    List<Tensor> _ =
        FOREACH_ADDCMUL
            .call()
            .arg(List.of(x))
            .arg(List.of(second))
            .arg(List.of(x))
            .arg(Torch.ones(DType.FLOAT64, 1))
            .tensorList();
  }

  private static void copies(List<Tensor> to, List<Tensor> from) {
    FOREACH_COPY.call().arg(to).arg(from).run();
  }

  private void layers() {
    add("matmul, cpu", d -> LinearAlgebra.matmul(there(d, 2, 2), here(2, 2)));
    add(
        "conv2d, cpu",
        d -> Functional.conv2d(there(d, 1, 1, 4, 4), here(1, 1, 3, 3), null, 1, 0, 1));
    add(
        "group_norm, cpu",
        d -> Functional.groupNorm(there(d, 1, 2, 2, 2), 1, here(2), here(2), 1e-5));
    add("mse", d -> Losses.mse(there(d, 2), there(d, 2)));
    add("mse, cpu", d -> Losses.mse(there(d, 2), here(2)));
    add("affine_grid", d -> Functional.affineGrid(there(d, 1, 2, 3), 1, 1, 4, 4));
    add("softmax", d -> Functional.softmax(there(d, 2, 2), 1));
    add("upsample", d -> Functional.upsampleNearest(there(d, 1, 1, 2, 2), 4, 4));
    add("dropout", d -> Functional.dropout(there(d, 2), 0.5));
  }

  private void waits() {
    add("to a device", d -> here(2).to(d));
    add("to the cpu", d -> there(d, 2).to(Device.CPU));
    add("item", d -> there(d, 1).item());
    add("nonzero", d -> Shapes.nonzero(there(d, 2)));
    add("masked_select", d -> Shapes.maskedSelect(there(d, 2), mask(d)));
    add("equal", d -> EQUAL.call().arg(there(d, 2)).arg(there(d, 2)).bool());
    add("svdvals", d -> LinearAlgebra.svdvals(there(d, 2, 2)));
    add("sum", d -> Reduction.sum(there(d, 2), Reduction.KeepDim.NO));
    add("argmin", d -> Reduction.argmin(there(d, 2, 2), 1, Reduction.KeepDim.NO));
    add("cdist", d -> LinearAlgebra.cdist(there(d, 1, 2, 1), there(d, 1, 3, 1)));
    add("sort", d -> Sorting.sort(there(d, 3), 0, Sorting.Order.ASCENDING));
  }
}
