// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Tensors of any type and layout arrive as they were, out of one tensor of bytes. */
class HostValuesTest {
  @Test
  void packedTensorsAreTheOnesThatWereAdded() {
    try (TensorScope _ = TensorScope.open()) {
      HostValues values = new HostValues(Device.CPU, true);
      Tensor floats = Torch.arange(7, DType.FLOAT32);
      Tensor turned = Shapes.transpose(Torch.arange(6, DType.FLOAT64).reshape(2, 3), 0, 1);
      Tensor whole = Torch.tensor(new long[] {-1, 1L << 40}, 2, 1);
      Tensor none = Torch.zeros(DType.FLOAT32, 3, 0);
      HostValues.Sent a = values.add(floats);
      HostValues.Sent b = values.add(turned);
      HostValues.Sent c = values.add(whole);
      HostValues.Sent d = values.add(none);
      assertThatThrownBy(a::get)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the values have not been sent");
      values.send();
      assertThat(a.get().toFloats()).isEqualTo(floats.toFloats());
      assertThat(b.get().shape()).containsExactly(3, 2);
      assertThat(b.get().toDoubles()).isEqualTo(turned.toDoubles());
      assertThat(c.get().shape()).containsExactly(2, 1);
      assertThat(c.get().toLongs()).containsExactly(-1, 1L << 40);
      assertThat(d.get().shape()).containsExactly(3, 0);
    }
  }

  @Test
  void onTheCpuNothingIsCopied() {
    try (TensorScope _ = TensorScope.open()) {
      HostValues values = new HostValues(Device.CPU);
      Tensor x = Torch.arange(3, DType.FLOAT32);
      HostValues.Sent sent = values.add(x);
      values.send();
      assertThat(sent.get()).isSameAs(x);
    }
  }

  @Test
  void partsOfALayoutAreAligned() {
    try (TensorScope _ = TensorScope.open()) {
      ByteLayout layout = new ByteLayout();
      int first = layout.add(DType.UINT8, 3);
      int second = layout.add(DType.FLOAT64, 2, 2);
      assertThat(layout.offset(first)).isZero();
      assertThat(layout.offset(second)).isEqualTo(64);
      assertThat(layout.bytes()).isEqualTo(128);
      Tensor all = Torch.zeros(DType.UINT8, layout.bytes());
      Tensor part = layout.part(all, second);
      part.copyFrom(Torch.full(2, DType.FLOAT64, 2, 2));
      assertThat(layout.part(all, first).toLongs()).containsExactly(0, 0, 0);
      assertThat(all.toLongs()[64 + 7]).as("0x40, the first byte of 2.0").isEqualTo(0x40);
    }
  }
}
