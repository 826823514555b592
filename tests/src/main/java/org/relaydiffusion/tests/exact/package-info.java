// SPDX-License-Identifier: Apache-2.0
/**
 * Training of a few steps with known SHA-256 of every tensor: checks whether training on this
 * machine with this LibTorch is bit-identical to the official code.
 */
@NullMarked
package org.relaydiffusion.tests.exact;

import org.jspecify.annotations.NullMarked;
