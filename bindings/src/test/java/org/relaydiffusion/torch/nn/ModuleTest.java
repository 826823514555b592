// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;

/** A tree of modules has one thing under each name, and a parameter one value that it owns. */
class ModuleTest {
  private static final Initializer ZEROS = (_, shape) -> Torch.zeros(DType.FLOAT32, shape);

  private static final class Part extends Module {
    Part(String... parameters) {
      for (String name : parameters) {
        parameter(name, ZEROS, 2);
      }
    }

    Part with(String name, Module part) {
      child(name, part);
      return this;
    }

    void buffer(String name) {
      buffer(name, ZEROS, 2);
    }
  }

  @Test
  void aNameIsGivenOnce() {
    assertThatThrownBy(() -> new Part("weight", "weight"))
        .isInstanceOf(TorchException.class)
        .hasMessage("this module already has a part named weight");
    try (Part part = new Part("weight")) {
      part.with("child", new Part());
      assertThatThrownBy(() -> part.buffer("weight")).isInstanceOf(TorchException.class);
      assertThatThrownBy(() -> part.buffer("child")).isInstanceOf(TorchException.class);
      assertThatThrownBy(() -> part.with("weight", new Part())).isInstanceOf(TorchException.class);
      assertThatThrownBy(() -> part.with("", new Part()))
          .hasMessage("a part of a module needs a name");
      assertThat(part.state()).containsOnlyKeys("weight");
    }
  }

  @Test
  void namesThatMeetByTheirDotsAreReported() {
    try (Part tree =
        new Part()
            .with("a.b", new Part("weight"))
            .with("a", new Part().with("b", new Part("weight")))) {
      assertThatThrownBy(tree::state)
          .isInstanceOf(TorchException.class)
          .hasMessage("two parameters are named a.b.weight");
    }
  }

  @Test
  void aModuleIsNoPartOfItself() {
    Part inner = new Part();
    Part outer = new Part().with("inner", inner);
    assertThatThrownBy(() -> inner.with("outer", outer))
        .isInstanceOf(TorchException.class)
        .hasMessage("a module cannot be a part of itself, as outer would be");
    assertThatThrownBy(() -> inner.with("inner", inner)).isInstanceOf(TorchException.class);
    assertThat(outer.children()).containsOnlyKeys("inner");
  }

  @Test
  void aValueMayBeSetAgain() {
    try (Part part = new Part("weight")) {
      Parameter p = part.parameters().getFirst();
      Tensor value = Torch.ones(DType.FLOAT32, 2);
      p.set(value);
      p.set(p.value());
      assertThat(p.value()).isSameAs(value);
      assertThat(p.value().toFloats()).containsOnly(1);
      Tensor closed = Torch.ones(DType.FLOAT32, 2);
      closed.close();
      assertThatThrownBy(() -> p.set(closed))
          .isInstanceOf(TorchException.class)
          .hasMessage("parameter weight cannot have a closed tensor");
      assertThat(p.value().toFloats()).containsOnly(1);
    }
  }

  @Test
  void aShapeHasNoNegativeSize() {
    assertThatThrownBy(() -> new Parameter("p", Parameter.Kind.BUFFER, ZEROS, 2, -1))
        .isInstanceOf(TorchException.class)
        .hasMessage("parameter p cannot have shape [2, -1]");
  }
}
