// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * {@code toString} against PyTorch's own prints: {@code tensor_prints.txt}, made by the script
 * beside it.
 */
class TensorPrinterTest {
  /** A tensor's description, and the text that PyTorch printed. */
  private record Printed(String description, String text) {
    Tensor tensor() {
      String[] words = description.split(" ", -1);
      DType dtype = DType.ofTorchName(words[0]).orElseThrow();
      String sizes = words[1].substring(1, words[1].length() - 1);
      long[] shape =
          sizes.isEmpty()
              ? new long[0]
              : Arrays.stream(sizes.split(",", -1)).mapToLong(Long::parseLong).toArray();
      boolean empty = Arrays.stream(shape).anyMatch(s -> s == 0);
      if (empty) {
        return Torch.empty(dtype, Device.CPU, shape);
      }
      if (words[2].equals("formula")) {
        double[] values =
            LongStream.range(0, Arrays.stream(shape).reduce(1, (a, b) -> a * b))
                .mapToDouble(i -> (i * 7919 % 10007 - 5003) / 64.0)
                .toArray();
        return Torch.tensor(values, shape).to(dtype);
      }
      String[] elements = words[2].split(",", -1);
      ByteBuffer bytes =
          ByteBuffer.allocate(elements.length * dtype.byteSize()).order(ByteOrder.LITTLE_ENDIAN);
      for (String element : elements) {
        long bits = Long.parseUnsignedLong(element, 16);
        for (int i = 0; i < dtype.byteSize(); i++) {
          bytes.put((byte) (bits >> (8 * i)));
        }
      }
      Tensor tensor = Torch.empty(dtype, Device.CPU, shape);
      tensor.memory().asByteBuffer().put(bytes.flip());
      return tensor;
    }

    boolean requiresGrad() {
      return description.endsWith(" grad");
    }
  }

  private static List<Printed> printed() throws IOException {
    List<Printed> all = new ArrayList<>();
    InputStream file =
        Objects.requireNonNull(TensorPrinterTest.class.getResourceAsStream("tensor_prints.txt"));
    try (BufferedReader reader = new BufferedReader(new InputStreamReader(file, UTF_8))) {
      for (String line : reader.lines().toList()) {
        if (!line.startsWith("|")) {
          all.add(new Printed(line, ""));
        } else {
          Printed last = all.removeLast();
          String before = last.text.isEmpty() ? "" : last.text + "\n";
          all.add(new Printed(last.description, before + line.substring(1)));
        }
      }
    }
    return all;
  }

  @Test
  void hasTheCharactersOfPyTorchsPrint() throws IOException {
    List<Printed> all = printed();
    assertThat(all).hasSizeGreaterThan(400);
    for (Printed one : all) {
      try (TensorScope _ = TensorScope.open()) {
        Tensor tensor = one.tensor();
        if (one.requiresGrad()) {
          tensor.requiresGrad(true);
        }
        assertThat(tensor).as(one.description).hasToString(one.text);
      }
    }
  }

  @Test
  void whatWasComputedFromAParameterSaysThatItRequiresAGradient() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor leaf = Torch.tensor(new float[] {1, 2}, 2).requiresGrad(true);
      assertThat(leaf.mul(2)).hasToString("tensor([2., 4.], requires_grad=True)");
      assertThat(GradMode.isEnabled()).isTrue();
    }
  }

  @Test
  void viewsShowTheirOwnElements() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor rows = Torch.arange(6, DType.INT64).reshape(2, 3);
      assertThat(Shapes.transpose(rows, 0, 1))
          .hasToString("tensor([[0, 3],\n        [1, 4],\n        [2, 5]])");
      assertThat(Shapes.expand(Torch.full(7, DType.INT64, 1), 1 << 20))
          .hasToString("tensor([7, 7, 7,  ..., 7, 7, 7])");
    }
  }

  @Test
  void onlyWhatIsShownIsCopied() {
    try (TensorScope _ = TensorScope.open()) {
      // 2^60 elements, all of them one: a copy of any axis as a whole would need 4 TiB.
      Tensor huge = Shapes.expand(Torch.full(1, DType.FLOAT32, 1, 1, 1), 1 << 20, 1 << 20, 1 << 20);
      assertThat(huge.toString()).startsWith("tensor([[[1., 1., 1.,  ..., 1., 1., 1.],");
    }
  }

  @Test
  void printsOnAVirtualThreadAndLeavesNothingBehind() throws InterruptedException {
    AtomicReference<String> printed = new AtomicReference<>();
    try (Tensor tensor = Torch.ones(DType.FLOAT32, 2000).requiresGrad(true)) {
      long before = Tensor.liveCount();
      Thread.ofVirtual().start(() -> printed.set(tensor.toString())).join();
      assertThat(printed.get())
          .isEqualTo("tensor([1., 1., 1.,  ..., 1., 1., 1.], requires_grad=True)");
      assertThat(Tensor.liveCount()).isEqualTo(before);
    }
  }

  @Test
  void aClosedTensorIsCalledSo() {
    Tensor tensor = Torch.ones(DType.FLOAT32, 2);
    assertThat(tensor.describe()).isEqualTo("float32[2]");
    tensor.close();
    assertThat(tensor).hasToString("closed tensor");
    assertThat(tensor.describe()).isEqualTo("closed tensor");
  }
}
