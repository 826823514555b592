// SPDX-License-Identifier: Apache-2.0
/**
 * Python's pickle format, protocols 0 to 5, read as data: a closed list of names is mapped to plain
 * Java values, everything else is rejected by name, and nothing is ever executed.
 *
 * <p>Values are {@link java.lang.String}, {@link java.lang.Long}, {@link java.math.BigInteger},
 * {@link java.lang.Double}, {@link java.lang.Boolean}, {@link java.util.List}, {@link
 * java.util.Map}, {@link java.util.Set} and the types of this package. Containers may be shared and
 * may contain themselves: code that traverses them must bound the traversal, and must not call
 * their hashCode, equals or toString.
 */
@NullMarked
package org.relaydiffusion.checkpoint.pickle;

import org.jspecify.annotations.NullMarked;
