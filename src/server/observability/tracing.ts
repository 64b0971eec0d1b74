import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, TraceFlags, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { FastifyRequest } from 'fastify';
import type { RequestObserver, RequestSummary } from './request-log.ts';

/**
 * OpenTelemetry: a span for each request that runs an operation, below its caller's, and one below it for each statement. The exporter is
 * configured by the OTEL_ variables.
 */
export class Tracing implements RequestObserver {
  private readonly provider: TracerProvider;
  private readonly tracer: Tracer;
  private readonly spans = new WeakMap<FastifyRequest, Span>();

  constructor(processor: SpanProcessor = new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })) {
    const resource = defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'conduit' }))
      .merge(detectResources({ detectors: [envDetector] }));
    this.provider = new TracerProvider({ resource, spanProcessors: [processor] });
    this.tracer = this.provider.getTracer('conduit');
  }

  onRequest(request: FastifyRequest): void {
    const { url = '' } = request.routeOptions;
    const attributes = {
      'http.request.method': request.method,
      'http.route': url,
      'conduit.request.id': request.id,
    };
    const span = this.tracer.startSpan(
      `${request.method} ${url}`,
      { kind: SpanKind.SERVER, attributes },
      callerContext(request),
    );
    this.spans.set(request, span);
  }

  onResponse(request: FastifyRequest, { type, field, outcome, status }: RequestSummary): void {
    const span = this.spans.get(request);
    if (!span) return;
    if (type !== 'none') span.updateName(`${type} ${field}`);
    span.setAttributes({ 'graphql.operation.type': type, 'conduit.field': field, 'conduit.outcome': outcome });
    span.setAttribute('http.response.status_code', status);
    if (status >= 500 || outcome === 'INTERNAL_SERVER_ERROR') span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  }

  /** Records only the verb, because the text may contain values. */
  traceStatement(request: FastifyRequest | undefined, text: string, result: Promise<unknown>): void {
    const parent = request && this.spans.get(request);
    if (!parent) return;
    const verb = /^\W*([a-z]+)/i.exec(text)?.[1]?.toUpperCase() ?? 'SQL';
    const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': verb };
    const span = this.tracer.startSpan(
      verb,
      { kind: SpanKind.CLIENT, attributes },
      trace.setSpan(ROOT_CONTEXT, parent),
    );
    const failed = ({ code }: { code?: string }) => {
      span.setStatus({ code: SpanStatusCode.ERROR });
      if (code) span.setAttribute('db.response.status_code', code);
      span.end();
    };
    result.then(() => span.end(), failed);
  }

  /** Flushes pending spans. An unavailable collector must not block the shutdown. */
  async close(): Promise<void> {
    await this.provider.shutdown().catch(() => {});
  }
}

/** The span context in the client's traceparent header (W3C Trace Context). */
function callerContext({ headers }: FastifyRequest) {
  const [, traceId, spanId, flags] =
    /^00-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})$/.exec(String(headers.traceparent)) ?? [];
  if (!traceId || !spanId) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags ?? '0', 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}
