// SPDX-License-Identifier: Apache-2.0
/** What crosses modules. */
@NullMarked
package org.relaydiffusion.tests;

import org.jspecify.annotations.NullMarked;
