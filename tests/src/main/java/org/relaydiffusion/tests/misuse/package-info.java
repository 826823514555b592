// SPDX-License-Identifier: Apache-2.0
/**
 * Random calls of the binding's public methods: {@code tests/random-calls}.
 *
 * <p>{@link org.relaydiffusion.tests.misuse.Surface} lists the methods, {@link
 * org.relaydiffusion.tests.misuse.Operands} draws their arguments, and {@link
 * org.relaydiffusion.tests.misuse.RandomCalls} calls them.
 */
@NullMarked
package org.relaydiffusion.tests.misuse;

import org.jspecify.annotations.NullMarked;
