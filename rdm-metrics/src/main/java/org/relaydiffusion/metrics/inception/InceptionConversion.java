// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.util.List;
import org.relaydiffusion.checkpoint.ConversionReport;

/**
 * The result of converting a file with Inception-v3.
 *
 * @param report what was written and verified
 * @param kind the kind of the source file, for display
 * @param warnings one line each
 */
public record InceptionConversion(ConversionReport report, String kind, List<String> warnings) {}
