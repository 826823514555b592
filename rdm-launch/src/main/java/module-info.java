// SPDX-License-Identifier: Apache-2.0
/** The rdm command. */
module org.relaydiffusion.launch {
  requires static org.jspecify;
  requires java.management;
  requires java.net.http;
  requires jdk.unsupported;
  requires org.relaydiffusion.checkpoint;
  requires org.relaydiffusion.metrics;
  requires info.picocli;
  requires tools.jackson.databind;
  requires org.slf4j;
  requires ch.qos.logback.classic;

  exports org.relaydiffusion.launch;
  exports org.relaydiffusion.launch.command;
  exports org.relaydiffusion.launch.download;
  exports org.relaydiffusion.launch.progress;
  exports org.relaydiffusion.launch.rank;
  exports org.relaydiffusion.launch.sampling;

  opens org.relaydiffusion.launch to
      info.picocli;
  opens org.relaydiffusion.launch.checkpoints to
      info.picocli;
  opens org.relaydiffusion.launch.command to
      info.picocli;
  opens org.relaydiffusion.launch.dataset to
      info.picocli;
  opens org.relaydiffusion.launch.doctor to
      info.picocli;
  opens org.relaydiffusion.launch.evaluation to
      info.picocli;
  opens org.relaydiffusion.launch.process to
      info.picocli;
  opens org.relaydiffusion.launch.sampling to
      info.picocli;
  opens org.relaydiffusion.launch.training to
      info.picocli;
}
