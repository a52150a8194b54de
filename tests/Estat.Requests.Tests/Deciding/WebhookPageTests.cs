// A campaign whose webhook could not be called is refused when the operator makes it.
using System.Net;
using System.Text;
using Estat.Http.Bodies;
using Estat.Http.Options;
using Estat.Requests.Webhooks;
using Estat.Requests.Drawing;
using Estat.Requests.Http;
using Estat.Requests.Intake;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Tests.Deciding;

public sealed class WebhookPageTests : IAsyncLifetime
{
    private WebhookRig _rig = null!;

    public async ValueTask InitializeAsync() => _rig = await WebhookRig.StartAsync();

    public async ValueTask DisposeAsync() => await _rig.DisposeAsync();

    [Theory]
    [InlineData("https://shop.example/decide", 201, null)]
    [InlineData("http://10.0.0.7/decide", 201, null)]
    [InlineData("http://93.184.215.14/decide", 400, "needs https")]
    [InlineData("https://169.254.169.254/latest", 400, "169.254.169.254 is not a public address, and REQUESTS_WEBHOOK_NETWORKS does not name it.")]
    public async Task A_url_that_may_not_be_called_is_refused(string url, int status, string? why)
    {
        var pages = new AdminRequestPages(
            _rig.Store, new DrawOffice(_rig.Store, _rig.StoreTime), new WebhookAddresses([IPNetwork.Parse("10.0.0.0/8")]),
            new RequestJson(new DecisionPace(_rig.StoreTime), _rig.Store.FindCampaign, _rig.StoreTime), new RequestBodies(new HttpOptions(), 4096, 1),
            _rig.StoreTime);
        using var answer = new MemoryStream();
        var context = new DefaultHttpContext();
        context.Request.Method = "PUT";
        context.Request.Path = "/admin/campaigns/hook";
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(
            $$$"""{"policy":"webhook","opensAt":"2026-01-01T00:00:00Z","webhook":{"url":"{{{url}}}","secrets":["{{{WebhookRig.Secret}}}"]}}"""));
        context.Response.Body = answer;
        await pages.All.Single(page => page.Path == "/admin/campaigns").Handle(context);

        string text = Encoding.UTF8.GetString(answer.ToArray());
        Assert.True(status == context.Response.StatusCode, $"{context.Response.StatusCode} {text}");
        Assert.Contains(why ?? "\"campaignId\":\"hook\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain(WebhookRig.Secret, text, StringComparison.Ordinal);
    }
}
