// Queries behind a real listener; every answer is held against /openapi.json.
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Estat.Base.Access;
using Estat.Http;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Estat.Http.ClientAddress;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Http.Options;
using Estat.Topics.Http;
using Estat.Topics.Options;
using Estat.Topics.Tests.Querying;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Topics.Tests.Http;

/// <summary>One, until dispose.</summary>
internal sealed class QueryServer : IAsyncDisposable
{
    private static readonly ContractJudge Contract = new(JsonNode.Parse(OpenApiPage.Write([() => TopicsOpenApi.Write(new TopicsOptions())]))!);

    private readonly TaskCompletionSource _stopping = new();
    private readonly HeapRelief _relief = new(TimeProvider.System);
    private readonly WebApplication _app;
    private readonly HttpClient _client;

    private QueryServer(WebApplication app, QueryService service, HeapRelief relief, TaskCompletionSource stopping)
    {
        _app = app;
        Service = service;
        _relief = relief;
        _stopping = stopping;
        _client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    internal QueryService Service { get; }

    internal static async Task<QueryServer> StartAsync(
        string connectionString, StandingLog? log = null, HttpOptions? http = null, WriteKeys? keys = null, Tokens? tokens = null,
        TopicsOptions? options = null)
    {
        log ??= new StandingLog();
        http ??= new HttpOptions();
        var relief = new HeapRelief(TimeProvider.System);
        var stopping = new TaskCompletionSource();
        var requests = new RequestCounters();
        var refusals = new QueryRefusals(requests);
        var service = new QueryService(
            options ?? new TopicsOptions(), connectionString, log, null,
            new ReaderAccess(keys, tokens, 5, http, refusals, TimeProvider.System), refusals,
            new NodeServices(http, TimeProvider.System, NullLoggerFactory.Instance, stopping.Task, relief));
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        WebApplication app = builder.Build();
        var end = new HttpRequestEnd(refusals, requests, NullLogger.Instance);
        var peer = Peer.Of(IPAddress.Loopback, new TrustedProxies([]), isShared: true);
        app.Run(context =>
        {
            context.Features.Set(peer);
            requests.Started.Increment();
            return end.RunAsync(context, null, service.HandleAsync);
        });
        await app.StartAsync();
        return new QueryServer(app, service, relief, stopping);
    }

    internal void Drain() => _stopping.TrySetResult();

    internal async Task<JsonElement> GetAsync(string path, int status = 200, params (string Name, string Value)[] headers)
    {
        (int answered, string body, _) = await SendAsync(HttpMethod.Get, path, null, headers);
        Assert.True(answered == status, $"{path}: {answered} {body}");
        using var json = JsonDocument.Parse(body);
        return json.RootElement.Clone();
    }

    internal async Task<(int Status, string Body, HttpResponseMessage Answer)> SendAsync(
        HttpMethod method, string path, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        HttpResponseMessage answer = await _client.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        Contract.Judge(method.Method, path.Split('?')[0], answer, text);
        return ((int)answer.StatusCode, text, answer);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        await Service.DisposeAsync();
        _relief.Dispose();
    }
}
