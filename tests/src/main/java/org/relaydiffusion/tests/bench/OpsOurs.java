// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.lang.foreign.ValueLayout;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The calls that {@link OpsBenchmark} measures, through this project's bindings. A result is closed
 * by its owner, or, where the name says so, by its scope. JMH wants this class and its methods
 * public.
 */
@BenchmarkMode(Mode.AverageTime)
public class OpsOurs {
  /** The calls in one scope: about as many as a block of a network has. */
  static final int BLOCK = 16;

  /** The operands. */
  @State(Scope.Thread)
  public static class Operands {
    final Tensor a = Torch.full(1.5, DType.FLOAT32, 8);
    final Tensor b = Torch.full(0.5, DType.FLOAT32, 8);
    final Tensor sum = Torch.zeros(DType.FLOAT32, 8);
    final Tensor one = Torch.full(1, DType.FLOAT32);
    private final GradMode noGrad = GradMode.noGrad();

    /** Made by JMH. */
    public Operands() {}

    /** Frees the operands. */
    @TearDown
    public void close() {
      noGrad.close();
      a.close();
      b.close();
      sum.close();
      one.close();
    }
  }

  /** Made by JMH. */
  public OpsOurs() {}

  /** A sum. */
  @Benchmark
  public void add(Operands s) {
    s.a.add(s.b).close();
  }

  /** A sum, freed by its scope. */
  @Benchmark
  @OperationsPerInvocation(BLOCK)
  public void addInScope(Operands s) {
    try (TensorScope _ = TensorScope.open()) {
      for (int i = 0; i < BLOCK; i++) {
        s.a.add(s.b);
      }
    }
  }

  /** A sum with a number. */
  @Benchmark
  public void addNumber(Operands s) {
    s.a.add(0.3).close();
  }

  /** A sum into its first operand. */
  @Benchmark
  public Tensor addInPlace(Operands s) {
    return Pointwise.addInPlace(s.sum, s.b);
  }

  /** A product. */
  @Benchmark
  public void mul(Operands s) {
    s.a.mul(s.b).close();
  }

  /** A product, freed by its scope. */
  @Benchmark
  @OperationsPerInvocation(BLOCK)
  public void mulInScope(Operands s) {
    try (TensorScope _ = TensorScope.open()) {
      for (int i = 0; i < BLOCK; i++) {
        s.a.mul(s.b);
      }
    }
  }

  /** A product with a number. */
  @Benchmark
  public void mulNumber(Operands s) {
    s.a.mul(0.3).close();
  }

  /** A product into its first operand; of zeros, so that it stays a normal number. */
  @Benchmark
  public Tensor mulInPlace(Operands s) {
    return Pointwise.mulInPlace(s.sum, s.b);
  }

  /** An activation. */
  @Benchmark
  public void silu(Operands s) {
    s.a.silu().close();
  }

  /** An activation, freed by its scope. */
  @Benchmark
  @OperationsPerInvocation(BLOCK)
  public void siluInScope(Operands s) {
    try (TensorScope _ = TensorScope.open()) {
      for (int i = 0; i < BLOCK; i++) {
        s.a.silu();
      }
    }
  }

  /** A view of another shape. */
  @Benchmark
  public void reshape(Operands s) {
    s.a.reshape(2, 4).close();
  }

  /** The type that it has. */
  @Benchmark
  public void toSameType(Operands s) {
    s.a.to(DType.FLOAT32).close();
  }

  /** The device that it is on. */
  @Benchmark
  public void toSameDevice(Operands s) {
    s.a.to(Device.CPU).close();
  }

  /** The one element. */
  @Benchmark
  public double item(Operands s) {
    return s.one.item();
  }

  /** An element of a tensor's memory. */
  @Benchmark
  public float memory(Operands s) {
    return s.a.memory().get(ValueLayout.JAVA_FLOAT, 4);
  }

  /** The memory of a tensor that is made, looked at and freed by its scope. */
  @Benchmark
  @OperationsPerInvocation(BLOCK)
  public float memoryInScope(Operands s) {
    float total = 0;
    try (TensorScope _ = TensorScope.open()) {
      for (int i = 0; i < BLOCK; i++) {
        total += s.a.add(s.b).memory().get(ValueLayout.JAVA_FLOAT, 4);
      }
    }
    return total;
  }

  /** The sizes. */
  @Benchmark
  public long[] shape(Operands s) {
    return s.a.shape();
  }

  /** The element type. */
  @Benchmark
  public DType dtype(Operands s) {
    return s.a.dtype();
  }

  /** The device. */
  @Benchmark
  public Device device(Operands s) {
    return s.a.device();
  }
}
