package org.relaydiffusion.launch.command;

/** A group of options that the help shows under a heading of its own. */
public interface Section {
  /** The heading, without a colon. */
  String heading();
}
