// SPDX-License-Identifier: Apache-2.0
/**
 * Fuzzing of all readers of untrusted files and text: {@code tests/fuzz}.
 *
 * <p>{@link org.relaydiffusion.tests.fuzz.Target} lists the readers, {@link
 * org.relaydiffusion.tests.fuzz.Contract} is the contract for each input, and {@link
 * org.relaydiffusion.tests.fuzz.FuzzRun} runs Jazzer on each.
 */
@NullMarked
package org.relaydiffusion.tests.fuzz;

import org.jspecify.annotations.NullMarked;
