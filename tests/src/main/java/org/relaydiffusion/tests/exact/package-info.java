/**
 * Training of a few steps whose every tensor is known by its SHA-256: whether this machine and this
 * LibTorch train to the bit as the official code does.
 */
@NullMarked
package org.relaydiffusion.tests.exact;

import org.jspecify.annotations.NullMarked;
