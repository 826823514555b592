// SPDX-License-Identifier: Apache-2.0
/** Benchmarks: each prints a table, and none is a test. */
@NullMarked
package org.relaydiffusion.tests.bench;

import org.jspecify.annotations.NullMarked;
