package photo
import ("testing";"bytes";"image";"picday/internal/testphoto")
func TestZZ(t *testing.T){
 for _, n := range []int{5,100} {
 img,_:=Decode(bytes.NewReader(testphoto.Make(testphoto.Spec{Width:6000,Height:4000,Noise:n})))
 mean:=func(m image.Image)(o [3]float64){ y:=m.(*image.YCbCr); for i,p:=range [][]byte{y.Y,y.Cb,y.Cr}{ s:=0.; for _,v:=range p{s+=float64(v)}; o[i]=s/float64(len(p))}; return }
 l:=Resize(img,1600)
 t.Log(n, "orig",mean(img),"large",mean(l),"direct",mean(Resize(img,400)),"two",mean(Resize(l,400)))
 }
}
