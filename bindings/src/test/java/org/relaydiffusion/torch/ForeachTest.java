// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.Foreach.AdamLists;

/** Operators over lists compute each tensor's own, and refuse lists that do not belong together. */
class ForeachTest {
  private TensorScope scope = TensorScope.open();

  @BeforeEach
  void open() {
    scope.close();
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Tensor f(float... values) {
    return Torch.tensor(values, values.length);
  }

  @Test
  void eachTensorIsComputedWithItsPartners() {
    Tensor a = f(1, 2);
    Tensor b = f(3);
    List<Tensor> both = List.of(a, b);
    List<Tensor> other = List.of(f(5, 6), f(7));
    List<Tensor> between = Foreach.lerp(both, other, 0.25);
    assertThat(between.get(0).toFloats()).containsExactly(2, 3);
    assertThat(between.get(1).toFloats()).containsExactly(4);
    Foreach.lerpInPlace(both, other, 0.5);
    assertThat(a.toFloats()).containsExactly(3, 4);
    assertThat(b.toFloats()).containsExactly(5);
    Foreach.mulInPlace(both, 2);
    assertThat(a.toFloats()).containsExactly(6, 8);
    Foreach.addcmulInPlace(both, other, other, 1, 10);
    assertThat(a.toFloats()).containsExactly(31, 44);
    assertThat(b.toFloats()).containsExactly(500);
    Foreach.addcdivInPlace(both, other, List.of(f(5, 3), f(7)), -1, 100);
    assertThat(a.toFloats()).containsExactly(30, 42);
    assertThat(b.toFloats()).containsExactly(600);
    assertThat(Foreach.sqrt(List.of(f(4), f(9, 16))).get(1).toFloats()).containsExactly(3, 4);
    Foreach.copyInPlace(both, List.of(Torch.ones(DType.INT64, 2), f(2)));
    assertThat(a.toFloats()).containsExactly(1, 1);
    assertThat(b.toFloats()).containsExactly(2);
  }

  @Test
  void emptyListsAreNothingToDo() {
    List<Tensor> none = List.of();
    assertThat(Foreach.lerp(none, none, 0.5)).isEmpty();
    assertThat(Foreach.sqrt(none)).isEmpty();
    assertThat(Foreach.unscaleInPlace(none, 2)).isTrue();
    Foreach.lerpInPlace(none, none, 0.5);
    Foreach.copyInPlace(none, none);
    Foreach.mulInPlace(none, 2);
    Foreach.addcmulInPlace(none, none, none);
  }

  @Test
  void listsThatDoNotBelongTogetherAreRefused() {
    Tensor two = f(1, 2);
    Tensor three = f(1, 2, 3);
    List<Tensor> one = List.of(two);
    List<Tensor> none = List.of();
    List<Runnable> misuses =
        List.of(
            () -> Foreach.lerp(none, one, 0.5),
            () -> Foreach.lerp(one, none, 0.5),
            () -> Foreach.lerp(one, List.of(two, two), 0.5),
            () -> Foreach.lerp(one, List.of(three), 0.5),
            () -> Foreach.lerpInPlace(one, List.of(three), 0.5),
            () -> Foreach.copyInPlace(one, List.of(three)),
            () -> Foreach.copyInPlace(one, none),
            () -> Foreach.addcmulInPlace(one, one, one),
            () -> Foreach.addcmulInPlace(one, one, one, 1, 2),
            () -> Foreach.addcmulInPlace(one, one, none, 1),
            () -> Foreach.addcdivInPlace(one, List.of(three), one, 1),
            () -> Foreach.unscaleInPlace(List.of(Torch.ones(DType.INT64, 2)), 0.5),
            () -> Foreach.mulInPlace(List.of(f(1).requiresGrad(true)), 2));
    for (int i = 0; i < misuses.size(); i++) {
      assertThatThrownBy(misuses.get(i)::run)
          .as("misuse " + i)
          .isInstanceOf(TorchException.class)
          .message()
          .doesNotContain("\n");
    }
    assertThat(two.toFloats()).containsExactly(1, 2);
  }

  @Test
  void anAdamStepOfTensorsThatDoNotFitIsRefused() {
    List<Tensor> p = List.of(Torch.ones(DType.FLOAT32, 2, 3));
    List<Tensor> step = List.of(Torch.full(1, DType.FLOAT32));
    Foreach.fusedAdamInPlace(
        new AdamLists(p, p, List.of(Torch.zerosLike(p.getFirst())), p, step), 0, 0.9, 0.999, 0);
    List<List<Tensor>> bad =
        List.of(
            List.of(),
            List.of(p.getFirst(), p.getFirst()),
            List.of(f(1, 2)),
            List.of(Torch.ones(DType.FLOAT64, 2, 3)),
            List.of(Shapes.transpose(Torch.ones(DType.FLOAT32, 3, 2), 0, 1)),
            List.of(Shapes.expand(f(1), 2, 3)));
    for (List<Tensor> b : bad) {
      assertThatThrownBy(() -> new AdamLists(p, b, p, p, step)).isInstanceOf(TorchException.class);
      assertThatThrownBy(() -> new AdamLists(p, p, b, p, step)).isInstanceOf(TorchException.class);
      assertThatThrownBy(() -> new AdamLists(p, p, p, b, step)).isInstanceOf(TorchException.class);
      assertThatThrownBy(() -> new AdamLists(p, p, p, p, b)).isInstanceOf(TorchException.class);
      assertThatThrownBy(() -> new AdamLists(b, p, p, p, step)).isInstanceOf(TorchException.class);
    }
    List<Tensor> changing = new ArrayList<>(p);
    AdamLists checked = new AdamLists(changing, changing, p, p, step);
    changing.set(0, f(1));
    assertThat(checked.parameters()).isEqualTo(p);
    assertThat(checked.gradients()).isEqualTo(p);
    assertThatThrownBy(() -> new AdamLists(p, p, p, p, List.of(Torch.scalar(1.0))))
        .hasMessage("a number of steps is float32[] on cpu, not float64[]");
  }
}
