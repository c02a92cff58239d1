// The keys that Traefik 3.7 reads, names only, so that none of them is ever met without a word.

/** Static configuration. */
export const staticKeys: readonly string[] = `
global.checkNewVersion global.sendAnonymousUsage global.notAppendXForwardedFor
serversTransport.insecureSkipVerify serversTransport.rootCAs serversTransport.maxIdleConnsPerHost
serversTransport.forwardingTimeouts.dialTimeout
serversTransport.forwardingTimeouts.responseHeaderTimeout
serversTransport.forwardingTimeouts.idleConnTimeout entryPoints.<name>.address
entryPoints.<name>.allowACMEByPass entryPoints.<name>.reusePort entryPoints.<name>.asDefault
entryPoints.<name>.transport.lifeCycle.requestAcceptGraceTimeout
entryPoints.<name>.transport.lifeCycle.graceTimeOut
entryPoints.<name>.transport.respondingTimeouts.readTimeout
entryPoints.<name>.transport.respondingTimeouts.writeTimeout
entryPoints.<name>.transport.respondingTimeouts.idleTimeout
entryPoints.<name>.transport.keepAliveMaxTime entryPoints.<name>.transport.keepAliveMaxRequests
entryPoints.<name>.proxyProtocol entryPoints.<name>.proxyProtocol.insecure
entryPoints.<name>.proxyProtocol.trustedIPs entryPoints.<name>.forwardedHeaders.insecure
entryPoints.<name>.forwardedHeaders.trustedIPs entryPoints.<name>.forwardedHeaders.connection
entryPoints.<name>.forwardedHeaders.notAppendXForwardedFor
entryPoints.<name>.http.redirections.entryPoint.to
entryPoints.<name>.http.redirections.entryPoint.scheme
entryPoints.<name>.http.redirections.entryPoint.permanent
entryPoints.<name>.http.redirections.entryPoint.priority entryPoints.<name>.http.middlewares
entryPoints.<name>.http.tls entryPoints.<name>.http.tls.options entryPoints.<name>.http.tls.certResolver
entryPoints.<name>.http.tls.domains[n].main entryPoints.<name>.http.tls.domains[n].sans
entryPoints.<name>.http.encodedCharacters.allowEncodedSlash
entryPoints.<name>.http.encodedCharacters.allowEncodedBackSlash
entryPoints.<name>.http.encodedCharacters.allowEncodedNullCharacter
entryPoints.<name>.http.encodedCharacters.allowEncodedSemicolon
entryPoints.<name>.http.encodedCharacters.allowEncodedPercent
entryPoints.<name>.http.encodedCharacters.allowEncodedQuestionMark
entryPoints.<name>.http.encodedCharacters.allowEncodedHash entryPoints.<name>.http.encodeQuerySemicolons
entryPoints.<name>.http.sanitizePath entryPoints.<name>.http.maxHeaderBytes
entryPoints.<name>.http.underscoreHeadersStrategy entryPoints.<name>.http2.maxConcurrentStreams
entryPoints.<name>.http2.maxDecoderHeaderTableSize entryPoints.<name>.http2.maxEncoderHeaderTableSize
entryPoints.<name>.http3 entryPoints.<name>.http3.advertisedPort entryPoints.<name>.udp.timeout
entryPoints.<name>.observability.accessLogs entryPoints.<name>.observability.metrics
entryPoints.<name>.observability.tracing entryPoints.<name>.observability.traceVerbosity
providers.providersThrottleDuration providers.precedence providers.docker
providers.docker.exposedByDefault providers.docker.constraints providers.docker.allowEmptyServices
providers.docker.network providers.docker.useBindPortIP providers.docker.watch
providers.docker.defaultRule providers.docker.username providers.docker.password
providers.docker.endpoint providers.docker.tls.ca providers.docker.tls.cert providers.docker.tls.key
providers.docker.tls.insecureSkipVerify providers.docker.httpClientTimeout providers.file.directory
providers.file.watch providers.file.filename providers.file.debugLogGeneratedTemplate api api.basePath
api.insecure api.dashboard api.debug api.disableDashboardAd api.dashboardName metrics.addInternals
metrics.prometheus metrics.prometheus.buckets metrics.prometheus.addEntryPointsLabels
metrics.prometheus.addRoutersLabels metrics.prometheus.addServicesLabels metrics.prometheus.entryPoint
metrics.prometheus.manualRouting metrics.prometheus.headerLabels.<name> metrics.otlp
metrics.otlp.addEntryPointsLabels metrics.otlp.addRoutersLabels metrics.otlp.addServicesLabels
metrics.otlp.explicitBoundaries metrics.otlp.pushInterval metrics.otlp.serviceName
metrics.otlp.resourceAttributes.<name> ping ping.entryPoint ping.manualRouting
ping.terminatingStatusCode log log.level log.format log.noColor log.filePath log.maxSize log.maxAge
log.maxBackups log.compress log.otlp accessLog accessLog.filePath accessLog.format
accessLog.filters.statusCodes accessLog.filters.retryAttempts accessLog.filters.minDuration
accessLog.fields.defaultMode accessLog.fields.names.<name> accessLog.fields.headers.defaultMode
accessLog.fields.headers.names.<name> accessLog.fields.queryParameters.defaultMode
accessLog.bufferingSize accessLog.addInternals accessLog.dualOutput accessLog.otlp tracing
tracing.serviceName tracing.resourceAttributes.<name> tracing.capturedRequestHeaders
tracing.capturedResponseHeaders tracing.safeQueryParams tracing.sampleRate tracing.addInternals
tracing.otlp tracing.globalAttributes.<name> hostResolver hostResolver.cnameFlattening
hostResolver.resolvConfig hostResolver.resolvDepth certificatesResolvers.<name>.acme.email
certificatesResolvers.<name>.acme.caServer certificatesResolvers.<name>.acme.preferredChain
certificatesResolvers.<name>.acme.profile certificatesResolvers.<name>.acme.emailAddresses
certificatesResolvers.<name>.acme.disableCommonName certificatesResolvers.<name>.acme.storage
certificatesResolvers.<name>.acme.keyType certificatesResolvers.<name>.acme.eab.kid
certificatesResolvers.<name>.acme.eab.hmacEncoded certificatesResolvers.<name>.acme.certificatesDuration
certificatesResolvers.<name>.acme.clientTimeout
certificatesResolvers.<name>.acme.clientResponseHeaderTimeout
certificatesResolvers.<name>.acme.certificateTimeout providers.swarm providers.swarm.refreshSeconds
providers.redis providers.redis.endpoints providers.redis.rootKey providers.redis.username
providers.redis.password providers.redis.db providers.redis.tls providers.redis.sentinel providers.http
providers.http.endpoint providers.http.pollInterval providers.http.pollTimeout providers.http.headers
providers.http.tls providers.http.maxResponseBodySize providers.rest providers.rest.insecure
providers.consul providers.etcd providers.zooKeeper providers.consulCatalog providers.nomad
providers.ecs providers.kubernetesCRD providers.kubernetesIngress providers.kubernetesIngressNGINX
providers.kubernetesGateway providers.knative providers.plugin metrics.datadog metrics.statsD
metrics.influxDB2 log.otlp.http.endpoint log.otlp.http.headers.<name> log.otlp.http.tls.ca
log.otlp.grpc.endpoint log.otlp.grpc.insecure log.otlp.grpc.headers.<name> log.otlp.grpc.tls.ca
accessLog.otlp.http.endpoint accessLog.otlp.grpc.endpoint accessLog.otlp.grpc.insecure
metrics.otlp.http.endpoint metrics.otlp.grpc.endpoint metrics.otlp.grpc.insecure
tracing.otlp.http.endpoint tracing.otlp.http.headers.<name> tracing.otlp.http.tls.ca
tracing.otlp.grpc.endpoint tracing.otlp.grpc.insecure tcpServersTransport
tcpServersTransport.dialTimeout tcpServersTransport.dialKeepAlive tcpServersTransport.terminationDelay
tcpServersTransport.tls spiffe spiffe.workloadAPIAddr experimental.plugins experimental.localPlugins
experimental.abortOnPluginFailure experimental.fastProxy experimental.otlpLogs
experimental.kubernetesGateway serversTransport.spiffe serversTransport.spiffe.ids
serversTransport.spiffe.trustDomain
`
  .trim()
  .split(/\s+/);

/** Left-overs of versions 1 and 2, which version 3 refuses to start with. */
export const removedKeys: readonly string[] = `
pilot providers.marathon providers.rancher providers.docker.swarmMode
providers.docker.swarmModeRefreshSeconds providers.docker.tls.caOptional experimental.http3
experimental.hub hub tracing.jaeger tracing.zipkin tracing.datadog tracing.instana tracing.haystack
tracing.elastic tracing.spanNameLimit metrics.influxDB providers.kubernetes
`
  .trim()
  .split(/\s+/);

/** Dynamic configuration: HTTP and TLS. */
export const dynamicKeys: readonly string[] = `
http.routers.<name>.rule http.routers.<name>.ruleSyntax http.routers.<name>.priority
http.routers.<name>.entryPoints http.routers.<name>.middlewares http.routers.<name>.service
http.routers.<name>.parentRefs http.routers.<name>.tls http.routers.<name>.tls.options
http.routers.<name>.tls.certResolver http.routers.<name>.tls.domains[n].main
http.routers.<name>.tls.domains[n].sans http.routers.<name>.observability.accessLogs
http.routers.<name>.observability.metrics http.routers.<name>.observability.tracing
http.routers.<name>.observability.traceVerbosity http.services.<name>.loadBalancer.servers[n].url
http.services.<name>.loadBalancer.servers[n].weight
http.services.<name>.loadBalancer.servers[n].preservePath http.services.<name>.loadBalancer.strategy
http.services.<name>.loadBalancer.passHostHeader
http.services.<name>.loadBalancer.responseForwarding.flushInterval
http.services.<name>.loadBalancer.serversTransport http.services.<name>.loadBalancer.sticky.cookie
http.services.<name>.loadBalancer.sticky.cookie.name
http.services.<name>.loadBalancer.sticky.cookie.secure
http.services.<name>.loadBalancer.sticky.cookie.httpOnly
http.services.<name>.loadBalancer.sticky.cookie.sameSite
http.services.<name>.loadBalancer.sticky.cookie.maxAge
http.services.<name>.loadBalancer.sticky.cookie.path
http.services.<name>.loadBalancer.sticky.cookie.domain
http.services.<name>.loadBalancer.healthCheck.path http.services.<name>.loadBalancer.healthCheck.scheme
http.services.<name>.loadBalancer.healthCheck.port
http.services.<name>.loadBalancer.healthCheck.hostname
http.services.<name>.loadBalancer.healthCheck.method http.services.<name>.loadBalancer.healthCheck.mode
http.services.<name>.loadBalancer.healthCheck.status
http.services.<name>.loadBalancer.healthCheck.interval
http.services.<name>.loadBalancer.healthCheck.unhealthyInterval
http.services.<name>.loadBalancer.healthCheck.timeout
http.services.<name>.loadBalancer.healthCheck.followRedirects
http.services.<name>.loadBalancer.healthCheck.headers.<name>
http.services.<name>.loadBalancer.passiveHealthCheck
http.services.<name>.loadBalancer.passiveHealthCheck.failureWindow
http.services.<name>.loadBalancer.passiveHealthCheck.maxFailedAttempts
http.services.<name>.weighted.services[n].name http.services.<name>.weighted.services[n].weight
http.services.<name>.weighted.sticky.cookie http.services.<name>.weighted.sticky.cookie.name
http.services.<name>.weighted.sticky.cookie.secure http.services.<name>.weighted.sticky.cookie.httpOnly
http.services.<name>.weighted.sticky.cookie.sameSite http.services.<name>.weighted.sticky.cookie.maxAge
http.services.<name>.weighted.sticky.cookie.path http.services.<name>.weighted.sticky.cookie.domain
http.services.<name>.weighted.healthCheck http.services.<name>.highestRandomWeight.services[n].name
http.services.<name>.highestRandomWeight.services[n].weight
http.services.<name>.highestRandomWeight.healthCheck http.services.<name>.mirroring.service
http.services.<name>.mirroring.mirrorBody http.services.<name>.mirroring.maxBodySize
http.services.<name>.mirroring.mirrors[n].name http.services.<name>.mirroring.mirrors[n].percent
http.services.<name>.mirroring.healthCheck http.services.<name>.failover.service
http.services.<name>.failover.fallback http.services.<name>.failover.healthCheck
http.services.<name>.failover.errors.status http.services.<name>.failover.errors.maxRequestBodyBytes
http.services.<name>.middlewares http.serversTransports.<name>.serverName
http.serversTransports.<name>.insecureSkipVerify http.serversTransports.<name>.rootCAs
http.serversTransports.<name>.certificates[n].certFile
http.serversTransports.<name>.certificates[n].keyFile http.serversTransports.<name>.cipherSuites
http.serversTransports.<name>.minVersion http.serversTransports.<name>.maxVersion
http.serversTransports.<name>.maxIdleConnsPerHost
http.serversTransports.<name>.forwardingTimeouts.dialTimeout
http.serversTransports.<name>.forwardingTimeouts.responseHeaderTimeout
http.serversTransports.<name>.forwardingTimeouts.idleConnTimeout
http.serversTransports.<name>.forwardingTimeouts.readIdleTimeout
http.serversTransports.<name>.forwardingTimeouts.pingTimeout http.serversTransports.<name>.disableHTTP2
http.serversTransports.<name>.peerCertURI http.serversTransports.<name>.spiffe
http.serversTransports.<name>.spiffe.ids http.serversTransports.<name>.spiffe.trustDomain
http.middlewares.<name>.addPrefix.prefix http.middlewares.<name>.stripPrefix.prefixes
http.middlewares.<name>.stripPrefix.forceSlash http.middlewares.<name>.stripPrefixRegex.regex
http.middlewares.<name>.replacePath.path http.middlewares.<name>.replacePathRegex.regex
http.middlewares.<name>.replacePathRegex.replacement http.middlewares.<name>.chain.middlewares
http.middlewares.<name>.redirectScheme.scheme http.middlewares.<name>.redirectScheme.port
http.middlewares.<name>.redirectScheme.permanent http.middlewares.<name>.redirectRegex.regex
http.middlewares.<name>.redirectRegex.replacement http.middlewares.<name>.redirectRegex.permanent
http.middlewares.<name>.ipAllowList.sourceRange http.middlewares.<name>.ipAllowList.rejectStatusCode
http.middlewares.<name>.ipAllowList.ipStrategy http.middlewares.<name>.ipAllowList.ipStrategy.depth
http.middlewares.<name>.ipAllowList.ipStrategy.excludedIPs
http.middlewares.<name>.ipAllowList.ipStrategy.ipv6Subnet
http.middlewares.<name>.ipWhiteList.sourceRange http.middlewares.<name>.ipWhiteList.ipStrategy
http.middlewares.<name>.ipWhiteList.ipStrategy.depth
http.middlewares.<name>.ipWhiteList.ipStrategy.excludedIPs
http.middlewares.<name>.ipWhiteList.ipStrategy.ipv6Subnet http.middlewares.<name>.basicAuth.users
http.middlewares.<name>.basicAuth.usersFile http.middlewares.<name>.basicAuth.realm
http.middlewares.<name>.basicAuth.removeHeader http.middlewares.<name>.basicAuth.headerField
http.middlewares.<name>.digestAuth.users http.middlewares.<name>.digestAuth.usersFile
http.middlewares.<name>.digestAuth.realm http.middlewares.<name>.digestAuth.removeHeader
http.middlewares.<name>.digestAuth.headerField http.middlewares.<name>.inFlightReq.amount
http.middlewares.<name>.inFlightReq.sourceCriterion.ipStrategy
http.middlewares.<name>.inFlightReq.sourceCriterion.ipStrategy.depth
http.middlewares.<name>.inFlightReq.sourceCriterion.ipStrategy.excludedIPs
http.middlewares.<name>.inFlightReq.sourceCriterion.ipStrategy.ipv6Subnet
http.middlewares.<name>.inFlightReq.sourceCriterion.requestHeaderName
http.middlewares.<name>.inFlightReq.sourceCriterion.requestHost
http.middlewares.<name>.buffering.maxRequestBodyBytes
http.middlewares.<name>.buffering.memRequestBodyBytes
http.middlewares.<name>.buffering.maxResponseBodyBytes
http.middlewares.<name>.buffering.memResponseBodyBytes http.middlewares.<name>.buffering.retryExpression
http.middlewares.<name>.circuitBreaker.expression http.middlewares.<name>.circuitBreaker.checkPeriod
http.middlewares.<name>.circuitBreaker.fallbackDuration
http.middlewares.<name>.circuitBreaker.recoveryDuration
http.middlewares.<name>.circuitBreaker.responseCode http.middlewares.<name>.compress.encodings
http.middlewares.<name>.compress.minResponseBodyBytes
http.middlewares.<name>.compress.excludedContentTypes
http.middlewares.<name>.compress.includedContentTypes http.middlewares.<name>.compress.defaultEncoding
http.middlewares.<name>.contentType.autoDetect http.middlewares.<name>.errors.status
http.middlewares.<name>.errors.statusRewrites.<name> http.middlewares.<name>.errors.service
http.middlewares.<name>.errors.query http.middlewares.<name>.errors.errorRequestHeaders
http.middlewares.<name>.retry.attempts http.middlewares.<name>.retry.initialInterval
http.middlewares.<name>.retry.timeout http.middlewares.<name>.retry.maxRequestBodyBytes
http.middlewares.<name>.retry.status http.middlewares.<name>.retry.disableRetryOnNetworkError
http.middlewares.<name>.retry.retryNonIdempotentMethod http.middlewares.<name>.passTLSClientCert.pem
http.middlewares.<name>.passTLSClientCert.info.notAfter
http.middlewares.<name>.passTLSClientCert.info.notBefore
http.middlewares.<name>.passTLSClientCert.info.sans
http.middlewares.<name>.passTLSClientCert.info.serialNumber
http.middlewares.<name>.passTLSClientCert.info.subject.country
http.middlewares.<name>.passTLSClientCert.info.subject.province
http.middlewares.<name>.passTLSClientCert.info.subject.locality
http.middlewares.<name>.passTLSClientCert.info.subject.organization
http.middlewares.<name>.passTLSClientCert.info.subject.organizationalUnit
http.middlewares.<name>.passTLSClientCert.info.subject.commonName
http.middlewares.<name>.passTLSClientCert.info.subject.serialNumber
http.middlewares.<name>.passTLSClientCert.info.subject.domainComponent
http.middlewares.<name>.passTLSClientCert.info.issuer.country
http.middlewares.<name>.passTLSClientCert.info.issuer.province
http.middlewares.<name>.passTLSClientCert.info.issuer.locality
http.middlewares.<name>.passTLSClientCert.info.issuer.organization
http.middlewares.<name>.passTLSClientCert.info.issuer.commonName
http.middlewares.<name>.passTLSClientCert.info.issuer.serialNumber
http.middlewares.<name>.passTLSClientCert.info.issuer.domainComponent
http.middlewares.<name>.encodedCharacters.allowEncodedSlash
http.middlewares.<name>.encodedCharacters.allowEncodedBackSlash
http.middlewares.<name>.encodedCharacters.allowEncodedNullCharacter
http.middlewares.<name>.encodedCharacters.allowEncodedSemicolon
http.middlewares.<name>.encodedCharacters.allowEncodedPercent
http.middlewares.<name>.encodedCharacters.allowEncodedQuestionMark
http.middlewares.<name>.encodedCharacters.allowEncodedHash http.middlewares.<name>.grpcWeb.allowOrigins
http.middlewares.<name>.forwardAuth.address http.middlewares.<name>.forwardAuth.trustForwardHeader
http.middlewares.<name>.forwardAuth.authRequestHeaders
http.middlewares.<name>.forwardAuth.authResponseHeaders
http.middlewares.<name>.forwardAuth.authResponseHeadersRegex
http.middlewares.<name>.forwardAuth.addAuthCookiesToResponse
http.middlewares.<name>.forwardAuth.headerField http.middlewares.<name>.forwardAuth.forwardBody
http.middlewares.<name>.forwardAuth.maxBodySize http.middlewares.<name>.forwardAuth.maxResponseBodySize
http.middlewares.<name>.forwardAuth.preserveLocationHeader
http.middlewares.<name>.forwardAuth.preserveRequestMethod
http.middlewares.<name>.forwardAuth.authSigninURL http.middlewares.<name>.forwardAuth.tls.ca
http.middlewares.<name>.forwardAuth.tls.cert http.middlewares.<name>.forwardAuth.tls.key
http.middlewares.<name>.forwardAuth.tls.insecureSkipVerify
http.middlewares.<name>.forwardAuth.tls.caOptional
http.middlewares.<name>.headers.customRequestHeaders.<name>
http.middlewares.<name>.headers.customResponseHeaders.<name>
http.middlewares.<name>.headers.sslProxyHeaders.<name>
http.middlewares.<name>.headers.accessControlAllowCredentials
http.middlewares.<name>.headers.accessControlAllowHeaders
http.middlewares.<name>.headers.accessControlAllowMethods
http.middlewares.<name>.headers.accessControlAllowOriginList
http.middlewares.<name>.headers.accessControlAllowOriginListRegex
http.middlewares.<name>.headers.accessControlExposeHeaders
http.middlewares.<name>.headers.accessControlMaxAge http.middlewares.<name>.headers.addVaryHeader
http.middlewares.<name>.headers.allowedHosts http.middlewares.<name>.headers.hostsProxyHeaders
http.middlewares.<name>.headers.stsSeconds http.middlewares.<name>.headers.stsIncludeSubdomains
http.middlewares.<name>.headers.stsPreload http.middlewares.<name>.headers.forceSTSHeader
http.middlewares.<name>.headers.frameDeny http.middlewares.<name>.headers.customFrameOptionsValue
http.middlewares.<name>.headers.contentTypeNosniff http.middlewares.<name>.headers.browserXssFilter
http.middlewares.<name>.headers.customBrowserXSSValue
http.middlewares.<name>.headers.contentSecurityPolicy
http.middlewares.<name>.headers.contentSecurityPolicyReportOnly
http.middlewares.<name>.headers.referrerPolicy http.middlewares.<name>.headers.permissionsPolicy
http.middlewares.<name>.headers.publicKey http.middlewares.<name>.headers.isDevelopment
http.middlewares.<name>.headers.sslRedirect http.middlewares.<name>.headers.sslTemporaryRedirect
http.middlewares.<name>.headers.sslHost http.middlewares.<name>.headers.sslForceHost
http.middlewares.<name>.headers.featurePolicy http.middlewares.<name>.rateLimit.average
http.middlewares.<name>.rateLimit.period http.middlewares.<name>.rateLimit.burst
http.middlewares.<name>.rateLimit.sourceCriterion.ipStrategy
http.middlewares.<name>.rateLimit.sourceCriterion.ipStrategy.depth
http.middlewares.<name>.rateLimit.sourceCriterion.ipStrategy.excludedIPs
http.middlewares.<name>.rateLimit.sourceCriterion.ipStrategy.ipv6Subnet
http.middlewares.<name>.rateLimit.sourceCriterion.requestHeaderName
http.middlewares.<name>.rateLimit.sourceCriterion.requestHost
http.middlewares.<name>.rateLimit.redis.endpoints http.middlewares.<name>.rateLimit.redis.username
http.middlewares.<name>.rateLimit.redis.password http.middlewares.<name>.rateLimit.redis.db
http.middlewares.<name>.rateLimit.redis.poolSize http.middlewares.<name>.rateLimit.redis.minIdleConns
http.middlewares.<name>.rateLimit.redis.maxActiveConns
http.middlewares.<name>.rateLimit.redis.readTimeout http.middlewares.<name>.rateLimit.redis.writeTimeout
http.middlewares.<name>.rateLimit.redis.dialTimeout http.middlewares.<name>.rateLimit.redis.tls.ca
http.middlewares.<name>.rateLimit.redis.tls.cert http.middlewares.<name>.rateLimit.redis.tls.key
http.middlewares.<name>.rateLimit.redis.tls.insecureSkipVerify http.middlewares.<name>.plugin
tls.certificates[n].certFile tls.certificates[n].keyFile tls.certificates[n].stores
tls.stores.<name>.defaultCertificate.certFile tls.stores.<name>.defaultCertificate.keyFile
tls.stores.<name>.defaultGeneratedCert.resolver tls.stores.<name>.defaultGeneratedCert.domain.main
tls.stores.<name>.defaultGeneratedCert.domain.sans tls.options.<name>.minVersion
tls.options.<name>.maxVersion tls.options.<name>.cipherSuites tls.options.<name>.curvePreferences
tls.options.<name>.clientAuth.caFiles tls.options.<name>.clientAuth.clientAuthType
tls.options.<name>.sniStrict tls.options.<name>.alpnProtocols tls.options.<name>.disableSessionTickets
tls.options.<name>.preferServerCipherSuites
`
  .trim()
  .split(/\s+/);

/** Dynamic configuration of what is not HTTP. */
export const otherProtocols: readonly string[] = `
tcp.routers.<name>.rule tcp.services.<name>.loadBalancer tcp.services.<name>.weighted
tcp.middlewares.<name>.ipAllowList tcp.middlewares.<name>.inFlightConn tcp.serversTransports.<name>
udp.routers.<name>.service udp.services.<name>.loadBalancer udp.services.<name>.weighted
`
  .trim()
  .split(/\s+/);

/** Labels that say how a container is read. */
export const providerLabels: readonly string[] = `
traefik.enable traefik.docker.network traefik.docker.allownonrunning
`
  .trim()
  .split(/\s+/);

/** Labels of other providers and protocols. */
export const otherLabels: readonly string[] = `
traefik.docker.lbswarm traefik.swarm.network traefik.swarm.lbswarm traefik.tcp.routers.x.rule
traefik.udp.services.x.loadbalancer.server.port traefik.tls.stores.default.defaultgeneratedcert.resolver
`
  .trim()
  .split(/\s+/);
