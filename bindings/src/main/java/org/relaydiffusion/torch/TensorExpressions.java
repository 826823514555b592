// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.relaydiffusion.torch.Reduction.KeepDim;

/**
 * The operators that are methods of {@link Tensor}: the most common ones. Each is the static method
 * of the same name in {@link Pointwise}, {@link Comparison}, {@link Reduction}, {@link Shapes},
 * {@link Functional} or {@link LinearAlgebra}, which have them all.
 */
public sealed interface TensorExpressions permits Tensor {
  private Tensor self() {
    return (Tensor) this;
  }

  // ---- arithmetic

  /** {@code this + other}, broadcast and promoted as PyTorch does. */
  default Tensor add(Tensor other) {
    return Pointwise.add(self(), other);
  }

  /** {@code this + value}, keeping this tensor's floating type. */
  default Tensor add(double value) {
    return Pointwise.add(self(), value);
  }

  /** {@code this - other}. */
  default Tensor sub(Tensor other) {
    return Pointwise.sub(self(), other);
  }

  /** {@code this - value}, keeping this tensor's floating type. */
  default Tensor sub(double value) {
    return Pointwise.sub(self(), value);
  }

  /** {@code this * other}. */
  default Tensor mul(Tensor other) {
    return Pointwise.mul(self(), other);
  }

  /** {@code this * value}, keeping this tensor's floating type. */
  default Tensor mul(double value) {
    return Pointwise.mul(self(), value);
  }

  /** {@code this / other}. */
  default Tensor div(Tensor other) {
    return Pointwise.div(self(), other);
  }

  /** {@code this / value}, keeping this tensor's floating type. */
  default Tensor div(double value) {
    return Pointwise.div(self(), value);
  }

  /** The matrix product, batched and broadcast as PyTorch's: [..., n, k] by [..., k, m]. */
  default Tensor matmul(Tensor other) {
    return LinearAlgebra.matmul(self(), other);
  }

  /** {@code -this}. */
  default Tensor neg() {
    return Pointwise.neg(self());
  }

  /** {@code this^exponent}, element by element. */
  default Tensor pow(double exponent) {
    return Pointwise.pow(self(), exponent);
  }

  // ---- functions, element by element

  /** {@code e^x}. */
  default Tensor exp() {
    return Pointwise.exp(self());
  }

  /** The natural logarithm. */
  default Tensor log() {
    return Pointwise.log(self());
  }

  /** The square root. */
  default Tensor sqrt() {
    return Pointwise.sqrt(self());
  }

  /** The square. */
  default Tensor square() {
    return Pointwise.square(self());
  }

  /** The absolute value. */
  default Tensor abs() {
    return Pointwise.abs(self());
  }

  /** {@code max(x, 0)}. */
  default Tensor relu() {
    return Pointwise.relu(self());
  }

  /** The hyperbolic tangent. */
  default Tensor tanh() {
    return Pointwise.tanh(self());
  }

  /** {@code 1 / (1 + e^-x)}. */
  default Tensor sigmoid() {
    return Pointwise.sigmoid(self());
  }

  /** {@code x sigmoid(x)}. */
  default Tensor silu() {
    return Pointwise.silu(self());
  }

  // ---- comparison

  /** {@code this == other}, as bool. */
  default Tensor eq(Tensor other) {
    return Comparison.eq(self(), other);
  }

  /** {@code this < other}, as bool. */
  default Tensor lt(Tensor other) {
    return Comparison.lt(self(), other);
  }

  /** {@code this > other}, as bool. */
  default Tensor gt(Tensor other) {
    return Comparison.gt(self(), other);
  }

  // ---- reduction

  /** The sum of all elements, 0-dim; int64 for integers. */
  default Tensor sum() {
    return Reduction.sum(self());
  }

  /** The sum over {@code dims}, which go. */
  default Tensor sum(long... dims) {
    return Reduction.sum(self(), KeepDim.NO, dims);
  }

  /** The mean of all elements of a floating tensor, 0-dim. */
  default Tensor mean() {
    return Reduction.mean(self());
  }

  /** The mean over {@code dims}, which go. */
  default Tensor mean(long... dims) {
    return Reduction.mean(self(), KeepDim.NO, dims);
  }

  /** The largest of all elements, 0-dim. */
  default Tensor max() {
    return Reduction.amax(self(), KeepDim.NO);
  }

  /** The smallest of all elements, 0-dim. */
  default Tensor min() {
    return Reduction.amin(self(), KeepDim.NO);
  }

  /** The index (int64) of the largest element along {@code dim}, which goes. */
  default Tensor argmax(int dim) {
    return Reduction.argmax(self(), dim, KeepDim.NO);
  }

  /** Softmax along {@code dim}. */
  default Tensor softmax(int dim) {
    return Functional.softmax(self(), dim);
  }

  // ---- shape

  /** A view (or copy, where none can be) of another shape; one size may be -1. */
  default Tensor reshape(long... sizes) {
    return Shapes.reshape(self(), sizes);
  }

  /** The axes from {@code startDim} on joined into one; a view where one can be. */
  default Tensor flatten(int startDim) {
    return Shapes.flatten(self(), startDim, -1);
  }

  /** Two axes swapped, as a view. */
  default Tensor transpose(int dim0, int dim1) {
    return Shapes.transpose(self(), dim0, dim1);
  }

  /** The axes in another order, as a view. */
  default Tensor permute(long... dims) {
    return Shapes.permute(self(), dims);
  }

  /** A new axis of size 1 before {@code dim}, as a view. */
  default Tensor unsqueeze(int dim) {
    return Shapes.unsqueeze(self(), dim);
  }

  /** Without axis {@code dim} if its size is 1, as a view. */
  default Tensor squeeze(int dim) {
    return Shapes.squeeze(self(), dim);
  }

  /** Axes of size 1 stretched without a copy; -1 keeps a size. */
  default Tensor expand(long... sizes) {
    return Shapes.expand(self(), sizes);
  }

  /** One index of an axis, which goes, as a view. */
  default Tensor select(int dim, long index) {
    return Shapes.select(self(), dim, index);
  }

  /** Elements [start, start + length) of an axis, as a view. */
  default Tensor narrow(int dim, long start, long length) {
    return Shapes.narrow(self(), dim, start, length);
  }

  /**
   * What Python's {@code x[...]} has: a view, unless a tensor is among the indices.
   *
   * @throws TorchException when there are more indices than axes, or one lies outside its axis
   */
  default Tensor index(Index... indices) {
    return Indexing.get(self(), indices);
  }

  /**
   * Python's {@code x[...] = value}, which is broadcast and converted to this tensor's type.
   *
   * @return this
   */
  default Tensor indexPut(Tensor value, Index... indices) {
    Indexing.put(self(), value, indices);
    return self();
  }

  // ---- conversion

  /** This tensor in another element type; itself (an alias) if it has that type already. */
  default Tensor to(DType dtype) {
    return Shapes.to(self(), dtype);
  }

  /** This tensor on another device; an alias if it is there already. */
  default Tensor to(Device device) {
    return Shapes.to(self(), device);
  }

  /** The elements in row-major order without gaps; an alias if they are already. */
  default Tensor contiguous() {
    return Shapes.contiguous(self());
  }
}
