/**
 * LibTorch in Java: tensors, their lifetimes, operators and random generators. Every operator goes
 * through LibTorch's stable C ABI by way of {@code java.lang.foreign}.
 */
@NullMarked
package org.relaydiffusion.torch;

import org.jspecify.annotations.NullMarked;
