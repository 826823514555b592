// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.relaydiffusion.nativeconfig.JniLibraries;
import org.relaydiffusion.torch.GradMode;

/**
 * The calls that {@link OpsBenchmark} measures, through JavaCPP, in the same loaded LibTorch.
 * Whatever a call returns is freed at once. JMH wants this class and its methods public.
 */
@BenchmarkMode(Mode.AverageTime)
public class OpsJavaCpp {
  /** The operands. */
  @State(Scope.Thread)
  public static class Operands {
    final Tensor a;
    final Tensor b;
    final Tensor sum;
    final Tensor one;
    final Device cpu;
    private final GradMode noGrad;

    /** Made by JMH. JavaCPP's own way of loading would take a second copy of LibTorch. */
    public Operands() {
      JniLibraries.load();
      noGrad = GradMode.noGrad();
      a = full(1.5f, 8);
      b = full(0.5f, 8);
      sum = full(0, 8);
      one = full(1);
      cpu = new Device(torch.DeviceType.CPU);
    }

    /** Checks that the operands are as the other binding's. */
    @Setup
    public void check() {
      if (a.scalar_type().intern() != torch.ScalarType.Float || a.numel() != 8 || one.dim() != 0) {
        throw new IllegalStateException("JavaCPP made other tensors than float32[8] and float32[]");
      }
    }

    /** Frees the operands. */
    @TearDown
    public void close() {
      noGrad.close();
      a.close();
      b.close();
      sum.close();
      one.close();
      cpu.close();
    }

    private static Tensor full(float value, long... sizes) {
      try (Scalar v = new Scalar(value)) {
        return torch.full(sizes, v);
      }
    }
  }

  /** Made by JMH. */
  public OpsJavaCpp() {}

  /** A sum. */
  @Benchmark
  public void add(Operands s) {
    torch.add(s.a, s.b).close();
  }

  /** A sum with a number. */
  @Benchmark
  public void addNumber(Operands s) {
    try (Scalar number = new Scalar(0.3)) {
      torch.add(s.a, number).close();
    }
  }

  /** A sum into its first operand, whose alias owns nothing that could be freed. */
  @Benchmark
  public Tensor addInPlace(Operands s) {
    return s.sum.add_(s.b);
  }

  /** A product. */
  @Benchmark
  public void mul(Operands s) {
    torch.mul(s.a, s.b).close();
  }

  /** A product with a number. */
  @Benchmark
  public void mulNumber(Operands s) {
    try (Scalar number = new Scalar(0.3)) {
      torch.mul(s.a, number).close();
    }
  }

  /** A product into its first operand, whose alias owns nothing that could be freed. */
  @Benchmark
  public Tensor mulInPlace(Operands s) {
    return s.sum.mul_(s.b);
  }

  /** An activation. */
  @Benchmark
  public void silu(Operands s) {
    torch.silu(s.a).close();
  }

  /** A view of another shape. */
  @Benchmark
  public void reshape(Operands s) {
    s.a.reshape(2, 4).close();
  }

  /** The type that it has. */
  @Benchmark
  public void toSameType(Operands s) {
    s.a.to(torch.ScalarType.Float).close();
  }

  /** The device that it is on. */
  @Benchmark
  public void toSameDevice(Operands s) {
    s.a.to(s.cpu, torch.ScalarType.Float).close();
  }

  /** The one element. */
  @Benchmark
  public double item(Operands s) {
    return s.one.item_float();
  }

  /** An element of a tensor's memory. */
  @Benchmark
  public float memory(Operands s) {
    try (FloatPointer data = s.a.data_ptr_float()) {
      return data.get(1);
    }
  }

  /** The sizes. */
  @Benchmark
  public long[] shape(Operands s) {
    try (LongArrayRef sizes = s.a.sizes()) {
      long[] copy = new long[(int) sizes.size()];
      for (int i = 0; i < copy.length; i++) {
        copy[i] = sizes.get(i);
      }
      return copy;
    }
  }

  /** The element type. */
  @Benchmark
  public torch.ScalarType dtype(Operands s) {
    return s.a.scalar_type();
  }

  /** The device. */
  @Benchmark
  public boolean device(Operands s) {
    try (Device device = s.a.device()) {
      return device.is_cpu();
    }
  }
}
