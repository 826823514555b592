// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.distributed.Backend.Combination;

/**
 * Tensors on the CPU through a control channel: numbers and states that processes tell each other,
 * not networks. Everybody combines the same tensors in the order of the ranks, so all get the same
 * bits.
 */
final class ChannelTensors {
  private final ControlChannel channel;
  private final Duration limit;

  ChannelTensors(ControlChannel channel, Duration limit) {
    this.channel = channel;
    this.limit = limit;
  }

  /** All processes' tensors, by rank, of the shape and type of {@code own}. */
  private List<Tensor> gather(Tensor own) throws BackendException {
    List<Tensor> tensors = new ArrayList<>();
    for (byte[] bytes : channel.gather(bytes(own), limit)) {
      tensors.add(tensor(bytes, own.dtype()).reshape(own.shape()));
    }
    return tensors;
  }

  /** Doubles hold every floating-point type, longs every whole one. */
  private static byte[] bytes(Tensor tensor) {
    if (tensor.dtype() == DType.UINT8) {
      return tensor.toBytes();
    }
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(tensor.numel() * Long.BYTES));
    if (tensor.dtype().isFloatingPoint()) {
      bytes.asDoubleBuffer().put(tensor.toDoubles());
    } else {
      bytes.asLongBuffer().put(tensor.toLongs());
    }
    return bytes.array();
  }

  private static Tensor tensor(byte[] bytes, DType dtype) {
    if (dtype == DType.UINT8) {
      return Torch.tensor(bytes, bytes.length);
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    int n = bytes.length / Long.BYTES;
    if (dtype.isFloatingPoint()) {
      double[] values = new double[n];
      buffer.asDoubleBuffer().get(values);
      return Torch.tensor(values, n).to(dtype);
    }
    long[] values = new long[n];
    buffer.asLongBuffer().get(values);
    return Torch.tensor(values, n).to(dtype);
  }

  void broadcast(Tensor tensor, int root) throws BackendException {
    try (TensorScope _ = TensorScope.open()) {
      Tensor _ = tensor.copyFrom(gather(tensor).get(root));
    }
  }

  void allReduce(Tensor tensor, Combination how) throws BackendException {
    try (TensorScope _ = TensorScope.open()) {
      List<Tensor> all = gather(tensor);
      Tensor result = all.getFirst();
      for (Tensor next : all.subList(1, all.size())) {
        result =
            switch (how) {
              case SUM, MEAN -> result.add(next);
              case PRODUCT -> result.mul(next);
              case MIN -> Pointwise.minimum(result, next);
              case MAX -> Pointwise.maximum(result, next);
            };
      }
      Tensor _ = tensor.copyFrom(how == Combination.MEAN ? result.div(all.size()) : result);
    }
  }

  void allGather(Tensor all, Tensor own) throws BackendException {
    try (TensorScope _ = TensorScope.open()) {
      List<Tensor> flat = gather(own).stream().map(t -> t.reshape(-1)).toList();
      Tensor _ = all.copyFrom(Shapes.cat(flat, 0).reshape(all.shape()));
    }
  }
}
