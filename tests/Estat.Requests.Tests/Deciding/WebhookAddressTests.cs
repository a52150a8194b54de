// Where webhooks may lead.
using System.Net;
using Estat.Base.Options;
using Estat.Requests.Webhooks;
using Estat.Requests.Options;

namespace Estat.Requests.Tests.Deciding;

public sealed class WebhookAddressTests
{
    private readonly WebhookAddresses _public = new([]);
    private readonly WebhookAddresses _inner = new([IPNetwork.Parse("10.1.0.0/16"), IPNetwork.Parse("::1/128")]);

    [Theory]
    [InlineData("93.184.215.14", true)]
    [InlineData("2606:2800:21f:cb07:6820:80da:af6b:8b2c", true)]
    [InlineData("64:ff9b::5db8:d70e", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.0.0.1", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("192.0.0.192", false)]
    [InlineData("198.19.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:93.184.215.14", true)]
    [InlineData("::127.0.0.1", false)]
    [InlineData("64:ff9b::a9fe:a9fe", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("2001:0:53aa:64c::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fec0::1", false)]
    [InlineData("ff02::1", false)]
    public void Only_addresses_that_anybody_can_call_are_public(string address, bool isPublic) =>
        Assert.Equal(isPublic, WebhookAddresses.IsPublic(IPAddress.Parse(address)));

    [Theory]
    [InlineData("https://shop.example/decide", true, true)]
    [InlineData("https://93.184.215.14/", true, true)]
    [InlineData("https://[::1]/", false, true)]
    [InlineData("http://[::1]/", false, true)]
    [InlineData("https://127.0.0.1/", false, false)]
    [InlineData("https://2130706433/", false, false)]
    [InlineData("https://localhost/", false, true)]
    [InlineData("https://10.1.2.3/", false, true)]
    [InlineData("http://10.1.2.3/", false, true)]
    [InlineData("https://10.2.2.3/", false, false)]
    [InlineData("http://93.184.215.14/", false, false)]
    [InlineData("http://shop.example/decide", false, true)] // by name: the connection finds out
    public void A_url_is_refused_early_where_it_shows(string url, bool publicly, bool inside)
    {
        Assert.Equal(publicly, _public.WhyRefused(new Uri(url)) is null);
        Assert.Equal(inside, _inner.WhyRefused(new Uri(url)) is null);
    }

    [Fact]
    public void A_refusal_says_what_to_do()
    {
        Assert.Equal(
            "webhook.url must be an https URL. Over http only networks that REQUESTS_WEBHOOK_NETWORKS names can be called.",
            _public.WhyRefused(new Uri("http://shop.example/")));
        Assert.Equal(
            "webhook.url cannot be called: 10.2.0.1 is not a public address, and REQUESTS_WEBHOOK_NETWORKS does not name it.",
            _inner.WhyRefused(new Uri("https://10.2.0.1/")));
        Assert.Equal(
            "webhook.url cannot be called: 93.184.215.14 is a public address, and needs https.", _inner.WhyRefused(new Uri("http://93.184.215.14/")));
    }

    [Theory]
    [InlineData("10.1.255.1", "http", true)]
    [InlineData("::ffff:10.1.0.1", "http", true)]
    [InlineData("10.2.0.1", "https", false)]
    [InlineData("93.184.215.14", "http", false)]
    [InlineData("93.184.215.14", "https", true)]
    public void An_address_is_judged_with_the_scheme(string address, string scheme, bool isAllowed) =>
        Assert.Equal(isAllowed, _inner.IsAllowed(IPAddress.Parse(address), scheme));

    [Fact]
    public void The_option_names_networks_and_nothing_else()
    {
        OptionSpec<RequestsOptions> option = RequestsOptionTable.All.Single(option => option.Name == "REQUESTS_WEBHOOK_NETWORKS");
        Assert.Equal(
            [IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("192.168.1.7/32")],
            option.Apply(new RequestsOptions(), "10.0.0.0/8, 192.168.1.7").WebhookNetworks);
        Assert.Contains(
            "REQUESTS_WEBHOOK_NETWORKS=inner: must be",
            Assert.Throws<OptionException>(() => option.Apply(new RequestsOptions(), "inner")).Message, StringComparison.Ordinal);
    }
}
