package org.relaydiffusion.metrics.inception;

import java.util.List;
import org.relaydiffusion.checkpoint.ConversionReport;

/**
 * What became of a file with Inception-v3.
 *
 * @param report what was written, read back and compared
 * @param kind what kind of file the source is, for people
 * @param warnings a line for each thing that the file's owner should know
 */
public record InceptionConversion(ConversionReport report, String kind, List<String> warnings) {}
