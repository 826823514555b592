// SPDX-License-Identifier: Apache-2.0
/**
 * LibTorch's C++ classes through JavaCPP: stores, process groups and the reducer of gradients,
 * which have no C functions. The one package that names {@code org.bytedeco}; only addresses of
 * tensors go in, and nothing of JavaCPP's comes out.
 */
@NullMarked
package org.relaydiffusion.torch.cpp;

import org.jspecify.annotations.NullMarked;
