// SPDX-License-Identifier: Apache-2.0
/** Files of other projects, written for the tests of every module that reads them. */
@NullMarked
package org.relaydiffusion.checkpoint.testing;

import org.jspecify.annotations.NullMarked;
